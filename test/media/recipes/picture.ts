import { turned } from '../bytes.ts'
import { type Argv, bad, clip, type ColorSaid, type Recipe } from '../recipe.ts'
import { aac, scene, x264 } from '../scene.ts'

const pq: ColorSaid = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
const hlg: ColorSaid = { ...pq, transfer: 'arib-std-b67' }
const wideSdr: ColorSaid = { ...pq, transfer: 'bt2020-10' }
const bt709: ColorSaid = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }
const ntsc: ColorSaid = { range: 'tv', primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' }
const pal: ColorSaid = { range: 'tv', primaries: 'bt470bg', transfer: 'bt470bg', matrix: 'bt470bg' }

/** DCI-P3 mastered at 1000 nits; units of 0.00002 and of 0.0001 nits. */
const mastering = 'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)'

function tagged({ range, primaries, transfer, matrix }: ColorSaid, format: string): string {
  return `format=${format},setparams=color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}:range=${range}`
}

function x265(color: ColorSaid, ...more: Argv): string[] {
  const { primaries, transfer, matrix } = color
  const tags = `colorprim=${primaries}:transfer=${transfer}:colormatrix=${matrix}:range=limited`
  const options = ['log-level=none', tags, ...more].join(':')
  const format = ['-vf', tagged(color, 'yuv420p10le')]
  return [...format, '-c:v', 'libx265', '-preset', 'ultrafast', '-qp', '18', '-x265-params', options]
}

const still = scene()
const metadata = ['hdr10=1', 'repeat-headers=1', mastering, 'max-cll=1000,400']

const colors: Recipe[] = [
  clip(
    'hdr10.mp4',
    'HDR10 with its mastering display and light levels',
    [[...still.picture, ...still.sound(), ...x265(pq, ...metadata), '-tag:v', 'hvc1', ...aac]],
    {
      depth: 10,
      color: pq,
      hdr: { mastering: true, light_level: true },
      sounds: [{ codec: 'aac', layout: 'stereo' }],
    },
  ),
  clip('hdr10.mkv', 'HDR10 in Matroska', [...still.picture, ...x265(pq, ...metadata)], {
    depth: 10,
    color: pq,
    hdr: { mastering: true, light_level: true },
  }),
  clip('pq-bare.mkv', 'PQ without a word on its mastering', [...still.picture, ...x265(pq)], {
    depth: 10,
    color: pq,
    hdr: { mastering: false, light_level: false },
  }),
  clip('hlg.mkv', 'HLG', [...still.picture, ...x265(hlg)], {
    depth: 10,
    color: hlg,
    hdr: { mastering: false, light_level: false },
  }),
  clip('bt2020-sdr.mkv', 'wide colours without HDR, 10 bits', [...still.picture, ...x265(wideSdr)], {
    depth: 10,
    color: wideSdr,
  }),
  ...(
    [
      ['bt709.mp4', bt709],
      ['bt601-ntsc.mp4', ntsc],
      ['bt601-pal.mp4', pal],
    ] as const
  ).map(([name, color]) =>
    clip(name, `tagged ${color.matrix}`, [...still.picture, '-vf', tagged(color, 'yuv420p'), ...x264], { color }),
  ),
  clip('untagged.mp4', 'without a word on its colours', [...still.picture, ...x264]),
  clip(
    'full-range.mp4',
    'full range, H.264',
    [...still.picture, '-vf', `scale=out_range=full,${tagged({ ...bt709, range: 'pc' }, 'yuv420p')}`, ...x264],
    { color: { ...bt709, range: 'pc' } },
  ),
]

const formats: Recipe[] = [
  ...(
    [
      ['hi10.mkv', 'yuv420p10le', 10],
      ['422.mkv', 'yuv422p', 8],
      ['422-10.mov', 'yuv422p10le', 10],
      ['444.mp4', 'yuv444p', 8],
      ['444-10.mkv', 'yuv444p10le', 10],
    ] as const
  ).map(([name, format, depth]) =>
    clip(name, `H.264 in ${format}`, [...still.picture, ...x264, '-pix_fmt', format], { depth }),
  ),
  clip('rgb.mkv', 'red, green and blue', [...still.picture, '-c:v', 'ffv1', '-pix_fmt', 'gbrp']),
  clip('gray.mkv', 'shades of gray', [...still.picture, '-c:v', 'ffv1', '-pix_fmt', 'gray']),
  clip('gray16.mkv', '16 bits', [...still.picture, '-c:v', 'ffv1', '-pix_fmt', 'gray16le'], { depth: 16 }),
  clip('palette.gif', 'a palette', [...scene({ size: '128x64', rate: '10', frames: 12 }).picture], {
    size: [128, 64],
    frames: 12,
    has_alpha: true,
  }),
  clip(
    'alpha-vp9.webm',
    'VP9 with transparency',
    [
      [...still.picture, '-vf', 'format=yuva420p,colorchannelmixer=aa=0.5', '-c:v', 'libvpx-vp9'],
      ['-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0', '-b:v', '1M'],
    ],
    { has_alpha: true },
  ),
  clip(
    'alpha-prores.mov',
    'ProRes 4444 with transparency',
    [
      [...still.picture, '-vf', 'format=yuva444p10le,colorchannelmixer=aa=0.5'],
      ['-c:v', 'prores_ks', '-profile:v', '4444'],
    ],
    { has_alpha: true, depth: 10 },
  ),
]

/** Filmed lying down, so that it stands upright once the player has turned it. */
function lying(filter: string): string[] {
  return [...scene({ size: '128x256', after: filter }).picture, ...x264]
}

const shapes: Recipe[] = [
  clip(
    'turned-90.mp4',
    'to be turned by 90 degrees',
    lying('transpose=cclock'),
    { size: [128, 256] },
    {
      alter: turned(90),
    },
  ),
  clip(
    'turned-180.mp4',
    'to be turned upside down',
    lying('hflip,vflip'),
    { size: [128, 256] },
    {
      alter: turned(180),
    },
  ),
  clip(
    'turned-270.mp4',
    'to be turned by 270 degrees',
    lying('transpose=clock'),
    { size: [128, 256] },
    {
      alter: turned(270),
    },
  ),
  clip(
    'odd-444.mp4',
    '255 x 127 pixels in 4:4:4',
    [[...scene({ size: '255x127' }).picture, ...x264, '-pix_fmt', 'yuv444p']],
    { size: [254, 126] },
  ),
  clip(
    'odd-vp9.webm',
    '255 x 127 pixels in 4:2:0',
    [
      [...scene({ size: '255x127' }).picture, '-pix_fmt', 'yuv420p', '-c:v', 'libvpx-vp9'],
      ['-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
    ],
    { size: [254, 126] },
  ),
  clip(
    'wide-pixels.mp4',
    'pixels wider than high, as on a DVD',
    [...scene({ size: '180x144', after: 'setsar=64/45' }).picture, ...x264],
    { size: [256, 144] },
  ),
  clip(
    'narrow-pixels.mkv',
    'pixels higher than wide',
    [...scene({ size: '256x144', after: 'setsar=1/2' }).picture, ...x264],
    { size: [128, 144] },
  ),
  clip(
    '1x1.mkv',
    'one pixel',
    [['-f', 'lavfi', '-i', 'color=c=teal:size=2x2:rate=25:duration=0.22,format=yuv444p,crop=1:1', '-c:v', 'ffv1']],
    {
      size: [2, 2],
      frames: 6,
      is_numbered: false,
    },
  ),
  clip('2x2.mkv', '2 x 2 pixels', [...scene({ size: '2x2', frames: 6 }).picture, ...x264], {
    size: [2, 2],
    frames: 6,
    is_numbered: false,
  }),
  clip('16x16.mp4', '16 x 16 pixels', [...scene({ size: '16x16', frames: 6 }).picture, ...x264], {
    size: [16, 16],
    frames: 6,
    is_numbered: false,
  }),
  clip('strip.mkv', '2048 x 2 pixels', [...scene({ size: '2048x2', frames: 6 }).picture, ...x264], {
    size: [2048, 2],
    frames: 6,
    is_numbered: false,
  }),
  clip(
    '8k.mp4',
    '7680 x 4320 pixels',
    [['-f', 'lavfi', '-i', 'color=c=teal:size=7680x4320:rate=25:duration=0.02', ...x264]],
    { size: [7680, 4320], frames: 1, is_numbered: false },
  ),
  bad('beyond.mkv', '16,400 pixels wide', /^the picture is too large: 16,400 x 16 pixels$/, [
    ['-f', 'lavfi', '-i', 'color=c=teal:size=16400x16:rate=25:duration=0.2', '-c:v', 'ffv1'],
  ]),
]

const tff = ['-flags', '+ilme+ildct', '-x264-params', 'tff=1']
const bff = ['-flags', '+ilme+ildct', '-x264-params', 'bff=1']
const mpeg2 = ['-c:v', 'mpeg2video', '-b:v', '3M', '-flags', '+ilme+ildct', '-bf', '2']

/** Both fields of a picture carry its number. */
function fields(first: 'top' | 'bottom', rate: string): string[] {
  const options = { rate, frames: 60, each: 2, size: '256x144' }
  const field = first === 'top' ? 'tff' : 'bff'
  return scene({ ...options, after: `tinterlace=interleave_${first},setfield=${field}` }).picture
}

const interlaced: Recipe[] = [
  clip('interlaced-top.mp4', 'interlaced, top field first', [...fields('top', '50'), ...x264, ...tff], {
    size: [256, 144],
  }),
  clip('interlaced-bottom.mkv', 'interlaced, bottom field first', [...fields('bottom', '50'), ...x264, ...bff], {
    size: [256, 144],
  }),
  clip(
    'interlaced-mpeg2.mpg',
    'MPEG-2, interlaced, bottom field first',
    [[...fields('bottom', '60000/1001'), ...mpeg2, '-f', 'vob']],
    { size: [256, 144] },
  ),
  clip(
    'telecined.mpg',
    'film made interlaced television by 3:2',
    [
      ...scene({ rate: '24000/1001', frames: 24, size: '256x144', after: 'telecine=first_field=top,setfield=tff' })
        .picture,
      [...mpeg2, '-f', 'vob'],
    ],
    { size: [256, 144], is_numbered: false },
  ),
]

/** Colours, pixel formats, shapes and fields. */
export const pictures: readonly Recipe[] = [...colors, ...formats, ...shapes, ...interlaced]
