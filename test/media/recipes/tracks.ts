import { soundBecomesData } from '../bytes.ts'
import { type Argv, clip, type Recipe } from '../recipe.ts'
import { aac, scene, x264 } from '../scene.ts'

const film = scene()
const titles = ['One', 'Two, the "second"']
const sounds = [{ codec: 'aac', layout: 'stereo' }]

/** A film with one track of subtitles from a file. */
function subtitled(name: string, codec: string, file: string, encoder: string, more: Argv = []): Recipe {
  const argv = [
    [...film.picture, '-fix_sub_duration', '-i', file, '-map', '0', '-map', '1', ...x264, '-c:s', encoder],
    ['-metadata:s:s:0', 'language=deu', ...more],
  ]
  return clip(name, `${codec} subtitles`, argv, { subtitles: [{ codec, language: 'deu' }] })
}

const subtitles: Recipe[] = [
  subtitled('subrip.mkv', 'subrip', 'words.srt', 'srt'),
  subtitled('ass.mkv', 'ass', 'words.ass', 'ass'),
  subtitled('webvtt.mkv', 'webvtt', 'words.vtt', 'webvtt'),
  subtitled('mov-text.mp4', 'mov_text', 'words.srt', 'mov_text'),
  subtitled('pgs.mkv', 'hdmv_pgs_subtitle', 'words.sup', 'copy'),
  subtitled('dvd.mkv', 'dvd_subtitle', 'words.sup', 'dvdsub'),
  subtitled('dvd.mp4', 'dvd_subtitle', 'words.sup', 'dvdsub'),
  subtitled('dvb.ts', 'dvb_subtitle', 'words.sup', 'dvbsub'),
  clip(
    'webvtt.webm',
    'WebVTT in WebM',
    [
      [...film.picture, '-i', 'words.vtt', '-map', '0', '-map', '1', '-c:v', 'libvpx-vp9', '-b:v', '1M'],
      ['-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p', '-c:s', 'webvtt'],
    ],
    { subtitles: [{ codec: 'webvtt' }] },
  ),
  clip(
    'subtitles.mkv',
    'four tracks of subtitles, the second forced, the third the default',
    [
      [...film.picture, '-i', 'words.srt', '-i', 'words.ass', '-i', 'words.sup', '-map', '0', '-map', '1'],
      ['-map', '1', '-map', '2', '-map', '3', ...x264, '-c:s:0', 'srt', '-c:s:1', 'srt', '-c:s:2', 'ass'],
      ['-c:s:3', 'copy', '-metadata:s:s:0', 'language=eng', '-metadata:s:s:0', 'title=For the deaf'],
      ['-metadata:s:s:1', 'language=eng', '-metadata:s:s:2', 'language=jpn', '-metadata:s:s:3', 'language=fra'],
      ['-disposition:s:0', 'hearing_impaired', '-disposition:s:1', 'forced', '-disposition:s:2', 'default'],
      ['-disposition:s:3', '0'],
    ],
    {
      subtitles: [
        { codec: 'subrip', language: 'eng', title: 'For the deaf' },
        { codec: 'subrip', language: 'eng', is_forced: true },
        { codec: 'ass', language: 'jpn', is_default: true },
        { codec: 'hdmv_pgs_subtitle', language: 'fra' },
      ],
    },
  ),
]

const chaptered = ['-i', 'chapters.txt', '-map_metadata', '1', '-map_chapters', '1']
const title = 'A film with = ünïcode'
const cover = ['-f', 'lavfi', '-i', 'testsrc2=size=96x96:duration=0.04']
const asCover = ['-c:v:1', 'mjpeg', '-bf:v:1', '0', '-pix_fmt:v:1', 'yuvj420p', '-disposition:v:1', 'attached_pic']

const others: Recipe[] = [
  clip('chapters.mkv', 'chapters and a title', [...film.picture, ...chaptered, ...x264], { chapters: titles, title }),
  clip('chapters.mp4', 'chapters in mp4, which has a track for them', [...film.picture, ...chaptered, ...x264], {
    chapters: titles,
    title,
  }),
  clip(
    'attached.mkv',
    'two attachments, a font and a text',
    [
      [...film.picture, ...x264, '-attach', 'letters.ttf', '-metadata:s:t:0', 'mimetype=application/x-truetype-font'],
      ['-attach', 'words.srt', '-metadata:s:t:1', 'mimetype=text/plain'],
    ],
    { attachments: 2 },
  ),
  clip(
    'cover.mkv',
    'cover art as an attachment',
    [
      [...film.picture, ...x264, '-attach', 'cover.jpg', '-metadata:s:t:0', 'mimetype=image/jpeg'],
      ['-metadata:s:t:0', 'filename=cover.jpg'],
    ],
    { covers: 1 },
    { from: 'cover.jpg' },
  ),
  clip(
    'cover.mp4',
    'cover art in mp4',
    [[...film.picture, ...cover, ...film.sound(), '-map', '0', '-map', '1', '-map', '2', ...x264, ...aac, ...asCover]],
    { covers: 1, sounds },
  ),
  clip('timecode.mov', 'a time code track', [...film.picture, ...x264, '-timecode', '01:00:00:00'], { data: 1 }),
  clip(
    'measurements.mp4',
    "a track of a camera's measurements",
    [[...film.picture, ...film.sound(), ...film.sound('mono'), '-map', '0', '-map', '1', '-map', '2', ...x264, ...aac]],
    { data: 1, sounds },
    { alter: soundBecomesData },
  ),
  clip(
    'two-films.mkv',
    'two films in one file',
    [
      [...film.picture, ...scene({ size: '128x64' }).picture, '-map', '0', '-map', '1', ...x264],
      ['-disposition:v:1', '0'],
    ],
    { films: 2 },
  ),
  clip(
    'everything.mkv',
    'two sound tracks, two of subtitles, chapters, a font and cover art',
    [
      [...film.picture, ...film.sound(), ...film.sound('5.1'), '-i', 'words.srt', '-i', 'words.ass'],
      ['-i', 'chapters.txt', '-map', '0', '-map', '1', '-map', '2', '-map', '3', '-map', '4', '-map_metadata', '5'],
      [
        '-map_chapters',
        '5',
        ...x264,
        '-c:a:0',
        'aac',
        '-b:a:0',
        '96k',
        '-c:a:1',
        'ac3',
        '-c:s:0',
        'srt',
        '-c:s:1',
        'ass',
      ],
      ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu', '-metadata:s:a:1', 'title=Kommentar'],
      ['-disposition:a:0', '0', '-disposition:a:1', 'default', '-metadata:s:s:0', 'language=eng'],
      ['-metadata:s:s:1', 'language=jpn', '-disposition:s:0', '0', '-disposition:s:1', 'forced'],
      ['-attach', 'letters.ttf', '-metadata:s:t:0', 'mimetype=application/x-truetype-font', '-attach', 'cover.jpg'],
      ['-metadata:s:t:1', 'mimetype=image/jpeg', '-metadata:s:t:1', 'filename=cover.jpg'],
    ],
    {
      sounds: [
        { codec: 'aac', layout: 'stereo', language: 'eng', is_default: false },
        { codec: 'ac3', layout: '5.1(side)', language: 'deu', title: 'Kommentar', is_default: true },
      ],
      subtitles: [
        { codec: 'subrip', language: 'eng' },
        { codec: 'ass', language: 'jpn', is_forced: true },
      ],
      chapters: titles,
      title,
      attachments: 1,
      covers: 1,
    },
    { from: 'cover.jpg' },
  ),
  { name: 'cover.jpg', about: 'a still picture', argv: [...cover, '-frames:v', '1', '-f', 'mjpeg'], holds: null },
]

/** What goes along with picture and sound. */
export const tracks: readonly Recipe[] = [...subtitles, ...others, plainSound()]

function plainSound(): Recipe {
  return clip(
    'mp4-with-all.mp4',
    'sound, subtitles and chapters in mp4',
    [
      [
        ...film.picture,
        ...film.sound(),
        '-i',
        'words.srt',
        '-i',
        'chapters.txt',
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
      ],
      ['-map_metadata', '3', '-map_chapters', '3', ...x264, ...aac, '-c:s', 'mov_text'],
      ['-metadata:s:a:0', 'language=eng', '-metadata:s:s:0', 'language=eng'],
    ],
    {
      sounds: sounds.map((said) => ({ ...said, language: 'eng' })),
      subtitles: [{ codec: 'mov_text', language: 'eng' }],
      chapters: titles,
      title,
    },
  )
}
