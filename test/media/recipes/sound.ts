import { type Argv, clip, type Recipe, type SoundSaid } from '../recipe.ts'
import { aac, scene, speakers, x264 } from '../scene.ts'

const film = scene()
const silent = [...film.picture, ...x264]

function track(name: string, codec: string, layout: string, argv: Argv, said: Partial<SoundSaid> = {}): Recipe {
  const holds = { sounds: [{ codec, layout, ...said }] }
  return clip(name, `${codec} in ${layout}`, [...film.picture, ...film.sound(layout), ...x264, ...argv], holds)
}

/** Every layout, bit for bit. */
const layouts: Recipe[] = Object.keys(speakers).map((layout) =>
  track(`pcm-${layout.replace('(side)', '-side')}.mov`, 'pcm_s16le', layout, ['-c:a', 'pcm_s16le']),
)

const codecs: Recipe[] = [
  track('aac-5.1.mp4', 'aac', '5.1', ['-c:a', 'aac', '-b:a', '128k'], {}),
  track('aac-fat.mp4', 'aac', 'stereo', ['-af', 'volume=0.5', '-c:a', 'aac', '-b:a', '320k', '-aac_coder', 'fast']),
  track('ac3.mkv', 'ac3', '5.1(side)', ['-c:a', 'ac3', '-b:a', '384k']),
  track('eac3.mp4', 'eac3', '5.1(side)', ['-c:a', 'eac3', '-b:a', '384k']),
  track('dts.mkv', 'dts', '5.1(side)', ['-c:a', 'dca', '-strict', '-2', '-b:a', '1411k']),
  // The encoder says of its six channels that the back ones stand at the sides.
  track('truehd.mkv', 'truehd', '5.1', ['-c:a', 'truehd', '-strict', '-2'], { layout: '5.1(side)' }),
  track('flac-7.1.mkv', 'flac', '7.1', ['-c:a', 'flac']),
  track('flac-6.1.mkv', 'flac', '6.1', ['-c:a', 'flac']),
  track('opus-5.1.mkv', 'opus', '5.1', ['-c:a', 'libopus', '-b:a', '192k']),
  track('mp3.mkv', 'mp3', 'stereo', ['-c:a', 'libmp3lame']),
  track('vorbis.mkv', 'vorbis', 'stereo', ['-c:a', 'libvorbis']),
  track('pcm-big-endian.mov', 'pcm_s16be', 'stereo', ['-c:a', 'pcm_s16be']),
  track('pcm-24.mov', 'pcm_s24le', '5.1', ['-c:a', 'pcm_s24le']),
  track('pcm-float.mov', 'pcm_f32le', 'stereo', ['-c:a', 'pcm_f32le']),
]

function hertz(name: string, rate: number): Recipe {
  const argv = [...film.picture, ...film.sound('stereo', rate), ...x264, '-c:a', 'pcm_s16le']
  return clip(name, `${rate} samples a second`, argv, { sounds: [{ codec: 'pcm_s16le', layout: 'stereo' }] })
}

const two = ['-map', '0:v', '-map', '1:a', '-map', '2:a', '-map', '3:a']
const mixed = ['-c:a:0', 'aac', '-b:a:0', '96k', '-c:a:1', 'ac3', '-c:a:2', 'pcm_s16le']
const several: Recipe[] = [
  clip(
    'tracks.mkv',
    'three sound tracks with languages, titles and the second as the default',
    [
      [...film.picture, ...film.sound(), ...film.sound('5.1(side)'), ...film.sound('mono'), ...two, ...x264, ...mixed],
      ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu', '-metadata:s:a:1', 'title=Deutsch 5.1'],
      ['-metadata:s:a:2', 'language=jpn', '-metadata:s:a:2', 'title=監督 comments'],
      ['-disposition:a:0', '0', '-disposition:a:1', 'default', '-disposition:a:2', 'comment'],
    ],
    {
      sounds: [
        { codec: 'aac', layout: 'stereo', language: 'eng', is_default: false },
        { codec: 'ac3', layout: '5.1(side)', language: 'deu', title: 'Deutsch 5.1', is_default: true },
        { codec: 'pcm_s16le', layout: 'mono', language: 'jpn', title: '監督 comments', is_default: false },
      ],
    },
  ),
  clip(
    'tracks.mp4',
    'two sound tracks with languages in mp4',
    [
      [...film.picture, ...film.sound(), ...film.sound('mono'), '-map', '0', '-map', '1', '-map', '2', ...x264, ...aac],
      ['-metadata:s:a:0', 'language=fra', '-metadata:s:a:1', 'language=eng'],
      ['-disposition:a:0', 'default', '-disposition:a:1', '0'],
    ],
    {
      sounds: [
        { codec: 'aac', layout: 'stereo', language: 'fra', is_default: true },
        { codec: 'aac', layout: 'mono', language: 'eng', is_default: false },
      ],
    },
  ),
  clip(
    'sound-first.mkv',
    'sound before the picture in the file',
    [[...film.picture, ...film.sound(), '-map', '1', '-map', '0', ...x264, ...aac]],
    { sounds: [{ codec: 'aac', layout: 'stereo' }] },
  ),
  clip(
    'sound-first.mp4',
    'sound before the picture in mp4',
    [[...film.picture, ...film.sound(), '-map', '1', '-map', '0', ...x264, ...aac]],
    { sounds: [{ codec: 'aac', layout: 'stereo' }] },
  ),
  clip('silent.mp4', 'no sound', silent),
  clip(
    'no-layout.nut',
    'six channels without a word on where they belong',
    [[...film.picture, ...film.sound('5.1'), ...x264, '-c:a', 'pcm_s16le']],
    { sounds: [{ codec: 'pcm_s16le', layout: '5.1' }] },
  ),
]

const samplings = [192_000, 44_100, 11_025, 8000].map((rate) => hertz(`${rate}hz.mkv`, rate))

/** Codecs, layouts, rates and tracks. */
export const sounds: readonly Recipe[] = [...layouts, ...codecs, ...samplings, ...several]
