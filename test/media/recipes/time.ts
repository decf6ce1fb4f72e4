import { type Argv, clip, type Recipe, type SoundSaid } from '../recipe.ts'
import { aac, scene, x264 } from '../scene.ts'

const stereo: SoundSaid = { codec: 'aac', layout: 'stereo' }
const plain = scene()
const intra = [...x264, '-g', '1']

function atRate(name: string, rate: string, frames: number, argv: Argv = []): Recipe {
  const film = scene({ rate, frames })
  const about = `${rate} pictures a second`
  return clip(name, about, [...film.picture, ...film.sound(), ...x264, ...aac, ...argv], { frames, sounds: [stereo] })
}

const halfMinute = scene({ rate: '24000/1001', frames: 720, size: '128x64' })

const rates: Recipe[] = [
  atRate('rate-0.5.mp4', '1/2', 6),
  atRate('rate-1.mkv', '1', 6),
  atRate('rate-film.mp4', '24000/1001', 30),
  atRate('rate-film.mkv', '24000/1001', 30),
  atRate('rate-ntsc.ts', '30000/1001', 36),
  atRate('rate-60.mkv', '60000/1001', 60),
  atRate('rate-120.mp4', '120', 120),
  atRate('rate-240.mkv', '240', 240),
  atRate('rate-1000.mp4', '1000', 240),
  clip(
    'half-a-minute.mkv',
    'half a minute of film with sound of 44.1 kHz, so that what drifts is seen',
    [halfMinute.picture, halfMinute.sound('stereo', 44_100), x264, '-c:a', 'pcm_s16le'],
    { frames: 720, size: [128, 64], sounds: [{ codec: 'pcm_s16le', layout: 'stereo' }] },
  ),
]

/** Bursts and gaps; both claps stay in. */
const bursts = scene({ frames: 60, after: "select='lt(mod(n,12),3)+eq(n,10)+eq(n,52)+eq(n,59)'" })
/** No two pictures are equally far apart. */
const jitter = scene({ frames: 36, after: "settb=1/90000,setpts='PTS+0.008*sin(N*1.7)/TB'" })
/** Of every four pictures two are only 11 microseconds apart. */
const close = scene({ frames: 36, after: "settb=1/90000,setpts='PTS-eq(mod(N,4),2)*3599'" })
const variable = ['-fps_mode', 'vfr']

const variableRates: Recipe[] = [
  clip(
    'variable.mp4',
    'bursts of pictures with gaps between them',
    [[...bursts.picture, ...bursts.sound(), ...variable, ...x264, ...aac]],
    { frames: 18, sounds: [stereo] },
  ),
  clip('variable.mkv', 'the same in Matroska', [[...bursts.picture, ...bursts.sound(), ...variable, ...x264, ...aac]], {
    frames: 18,
    sounds: [stereo],
  }),
  clip(
    'jitter.mp4',
    'a telephone that takes its pictures when it can',
    [[...jitter.picture, ...jitter.sound(), ...variable, '-enc_time_base', '1:90000', ...x264, ...aac]],
    { frames: 36, sounds: [stereo] },
  ),
  clip(
    'close.mp4',
    'pairs of pictures almost at the same time',
    [close.picture, close.sound(), variable, '-enc_time_base', '1:90000', x264, aac],
    { frames: 36, sounds: [stereo], has_clap: false },
  ),
  clip(
    'hours-apart.mkv',
    'pictures an hour apart',
    [
      ...scene({ rate: '1', frames: 4, after: 'setpts=PTS*3600' }).picture,
      ['-fps_mode', 'passthrough', '-enc_time_base', '1:1000', ...x264],
    ],
    { frames: 4 },
  ),
  clip('one-frame.mp4', 'a single picture', [...scene({ frames: 1 }).picture, ...x264], {
    frames: 1,
    is_numbered: false,
  }),
]

/** Without it ffmpeg fills what is missing in front with the first picture. */
const asTheyAre = ['-fps_mode', 'passthrough']

/** Streams that do not begin together, by when. */
function shifted(name: string, about: string, argv: Argv, more: Argv = []): Recipe {
  return clip(name, about, [...argv, '-map', '0:v', '-map', '1:a', ...asTheyAre, ...x264, ...aac, ...more], {
    sounds: [stereo],
  })
}

const late = ['-itsoffset', '1.5']
const starts: Recipe[] = [
  shifted('sound-late.mkv', 'sound that begins 1.5 s late', [...plain.picture, ...late, ...plain.sound()]),
  shifted('sound-late.mp4', 'sound that begins 1.5 s late', [...plain.picture, ...late, ...plain.sound()]),
  shifted('sound-late.ts', 'sound that begins 1.5 s late', [...plain.picture, ...late, ...plain.sound()]),
  shifted('picture-late.mkv', 'a picture that begins 0.7 s late', [
    ['-itsoffset', '0.7', ...plain.picture, ...plain.sound()],
  ]),
  shifted('picture-late.mp4', 'a picture that begins 0.7 s late', [
    ['-itsoffset', '0.7', ...plain.picture, ...plain.sound()],
  ]),
  shifted(
    'begins-at-5.mkv',
    'everything begins at 5 s',
    [...plain.picture, ...plain.sound()],
    [['-output_ts_offset', '5']],
  ),
  shifted(
    'begins-before-0.ts',
    'everything begins before zero',
    [...plain.picture, ...plain.sound()],
    [['-output_ts_offset', '-1.9', '-avoid_negative_ts', 'disabled', '-muxdelay', '0', '-muxpreload', '0']],
  ),
  shifted(
    'clock-wraps.ts',
    'a clock that wraps round at 26.5 hours',
    [...plain.picture, ...plain.sound()],
    [['-output_ts_offset', '95442.5']],
  ),
  clip(
    'edited.mp4',
    'an edit list that hides the first 0.56 s',
    [['-ss', '0.56', '-i', 'rate-film.mp4', '-c', 'copy']],
    { frames: null, sounds: [stereo], has_clap: false },
    { from: 'rate-film.mp4' },
  ),
  clip(
    'edited-intra.mp4',
    'cut between pictures that stand alone',
    [[...plain.picture, ...plain.sound(), ...intra, ...aac, '-ss', '0.1']],
    { frames: null, sounds: [stereo] },
  ),
]

const holes: Recipe[] = [
  clip(
    'hole-in-sound.mkv',
    'sound that is missing for 0.4 s in the middle',
    [
      [...plain.picture, ...plain.sound(), ...x264],
      ['-af', "aselect='lt(t,0.4)+gt(t,0.8)'", '-c:a', 'pcm_s16le'],
    ],
    { sounds: [{ codec: 'pcm_s16le', layout: 'stereo' }] },
  ),
  clip(
    'sound-longer.mp4',
    'sound that goes on for 1.2 s after the picture',
    [[...plain.picture, ...scene({ frames: 60 }).sound(), ...x264, ...aac]],
    { sounds: [stereo], has_clap: false },
  ),
  clip(
    'sound-shorter.mp4',
    'sound that ends before the picture',
    [[...plain.picture, ...plain.sound(), ...x264, ...aac, '-af', 'atrim=end=0.5']],
    { sounds: [stereo] },
  ),
]

/** Rates, starts, ends and gaps. */
export const times: readonly Recipe[] = [...rates, ...variableRates, ...starts, ...holes]
