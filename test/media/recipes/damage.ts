import { cutAt, rotten, withoutFirst } from '../bytes.ts'
import { bad, clip, type Recipe } from '../recipe.ts'
import { aac, scene, x264 } from '../scene.ts'

const film = scene({ frames: 60 })
const long = [...film.picture, ...film.sound(), ...x264, '-g', '12', ...aac]

/** What must end in a sentence, and never as a success; but for what lacks its beginning only. */
export const damage: readonly Recipe[] = [
  bad('empty.mp4', 'no byte', /^the file is empty$/, []),
  bad('text.mp4', 'a text', /^not a video: no known video format$/, [], {
    alter: () => Buffer.from('This is not a video.\n'.repeat(20)),
  }),
  bad('noise.mp4', 'noise', /^not a video: no known video format$/, [], {
    alter: () => Buffer.from(Array.from({ length: 30_000 }, (_, at) => (at * at * 31 + at * 7) & 255)),
  }),
  bad('head-only.mp4', 'the first bytes of an mp4', /^(truncated|damaged)/, [], {
    from: 'index-first.mp4',
    alter: cutAt(0.02),
  }),
  bad('cut-index-last.mp4', 'an mp4 cut off before its index', /index \(moov atom\) is missing$/, [], {
    from: 'index-last.mp4',
    alter: cutAt(0.6),
  }),
  bad(
    'cut-index-first.mp4',
    'an mp4 cut off after its index',
    /^(truncated|damaged): /,
    [[...long, '-movflags', '+faststart']],
    { alter: cutAt(0.6) },
  ),
  bad('cut.mkv', 'a Matroska file cut off', /^(truncated|damaged): /, long, { alter: cutAt(0.6) }),
  bad(
    'cut.mov',
    'ProRes cut off',
    /^(truncated|damaged): /,
    [[...film.picture, '-c:v', 'prores_ks', '-movflags', '+faststart']],
    { alter: cutAt(0.6) },
  ),
  bad('cut.avi', 'an AVI file cut off', /^(truncated|damaged): /, [[...film.picture, '-c:v', 'mpeg4', '-b:v', '1M']], {
    alter: cutAt(0.6),
  }),
  bad('rotten.mp4', 'an mp4 with wrong bytes', /^damaged: /, [...long, '-movflags', '+faststart'], {
    alter: rotten(0.35, 0.45, 0.55, 0.65, 0.75),
  }),
  bad('rotten.mkv', 'a Matroska file with wrong bytes', /^damaged: /, long, {
    alter: rotten(0.35, 0.45, 0.55, 0.65, 0.75),
  }),
  bad('rotten.ts', 'a transport stream with wrong bytes', /^damaged: /, long, {
    alter: rotten(0.3, 0.4, 0.5, 0.6, 0.7),
  }),
  clip(
    'headless.ts',
    'a broadcast that was switched on in the middle of a scene',
    long,
    { frames: 48, sounds: [{ codec: 'aac', layout: 'stereo' }] },
    { alter: withoutFirst(20_001) },
  ),
  bad('sound-only.m4a', 'sound', /^no video stream, only audio$/, [...film.sound(), ...aac]),
  bad('sound-and-cover.m4a', 'sound with cover art', /^no video stream, only audio with cover art$/, [
    [...film.sound(), '-f', 'lavfi', '-i', 'testsrc2=size=96x96:duration=0.04', '-map', '0', '-map', '1', ...aac],
    ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-frames:v', '1', '-disposition:v:0', 'attached_pic'],
  ]),
]
