import { clip, type Contents, type Recipe } from '../recipe.ts'
import { aac, scene, x264 } from '../scene.ts'

const film = scene()
const both = [...film.picture, ...film.sound()]
const yuv = ['-pix_fmt', 'yuv420p']
const vpx = ['-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M', ...yuv]

function kept(codec: string, more: Partial<Contents> = {}): Partial<Contents> {
  return { sounds: [{ codec, layout: 'stereo' }], ...more }
}

const mp4: Recipe[] = [
  clip('index-last.mp4', 'mp4 with its index at the end', [...both, ...x264, ...aac], kept('aac')),
  clip(
    'index-first.mp4',
    'mp4 with its index in front',
    [...both, ...x264, ...aac, '-movflags', '+faststart'],
    kept('aac'),
  ),
  clip(
    'fragmented.mp4',
    'mp4 in fragments, without a length',
    [[...both, ...x264, ...aac, '-movflags', '+frag_keyframe+empty_moov+default_base_moof']],
    { sounds: [{ codec: 'aac', layout: 'stereo' }] },
  ),
  clip(
    'hevc.mp4',
    'HEVC',
    [[...both, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', ...yuv, ...aac]],
    kept('aac'),
  ),
  clip('mp4v.3gp', 'MPEG-4 in 3gp', [...both, '-c:v', 'mpeg4', '-b:v', '1M', ...aac], kept('aac')),
  clip('mp4.avi', 'mp4 with the wrong extension', [...both, ...x264, ...aac, '-f', 'mp4'], kept('aac')),
]

const matroska: Recipe[] = [
  clip('live.mkv', 'Matroska without a length', [...both, ...x264, '-c:a', 'libopus', '-live', '1'], kept('opus')),
  clip('vp8.webm', 'VP8 and Vorbis', [...both, '-c:v', 'libvpx', ...vpx, '-c:a', 'libvorbis'], kept('vorbis')),
  clip('vp9.webm', 'VP9 and Opus', [...both, '-c:v', 'libvpx-vp9', ...vpx, '-c:a', 'libopus'], kept('opus')),
  clip(
    'av1.mkv',
    'AV1 and Opus',
    [[...both, '-c:v', 'libsvtav1', '-preset', '10', '-b:v', '1M', ...yuv, '-c:a', 'libopus']],
    kept('opus'),
  ),
  clip('ffv1.mkv', 'FFV1 and FLAC', [...both, '-c:v', 'ffv1', '-level', '3', ...yuv, '-c:a', 'flac'], kept('flac')),
  clip('ffv1-10.mkv', 'FFV1 in 10 bits, 4:2:2', [...both, '-c:v', 'ffv1', '-pix_fmt', 'yuv422p10le', '-c:a', 'flac'], {
    ...kept('flac'),
    depth: 10,
  }),
]

const mpeg: Recipe[] = [
  clip(
    'mpeg2.mpg',
    'MPEG-2 in a program stream',
    [[...both, '-c:v', 'mpeg2video', '-bf', '2', '-b:v', '3M', '-c:a', 'mp2', '-f', 'vob']],
    kept('mp2'),
  ),
  clip(
    'mpeg2.ts',
    'MPEG-2 in a transport stream',
    [[...both, '-c:v', 'mpeg2video', '-bf', '2', '-b:v', '3M', '-c:a', 'mp2']],
    kept('mp2'),
  ),
  clip('h264.ts', 'H.264 and AAC in a transport stream', [...both, ...x264, ...aac], {
    sounds: [{ codec: 'aac', layout: 'stereo' }],
  }),
  clip(
    'h264.m2ts',
    'H.264 and AC-3 as a camcorder writes it',
    [...both, ...x264, '-c:a', 'ac3', '-mpegts_m2ts_mode', '1'],
    {
      ...kept('ac3'),
    },
  ),
  clip('mpeg1.mpg', 'MPEG-1', [...both, '-c:v', 'mpeg1video', '-b:v', '2M', '-c:a', 'mp2', '-f', 'mpeg'], kept('mp2')),
]

const older: Recipe[] = [
  clip(
    'asp.avi',
    'MPEG-4 ASP with B-frames in AVI',
    [[...both, '-c:v', 'mpeg4', '-vtag', 'XVID', '-bf', '2', '-b:v', '1M', '-c:a', 'libmp3lame']],
    kept('mp3', { frames: null }),
  ),
  clip(
    'asp-packed.avi',
    'MPEG-4 ASP by Xvid',
    [[...both, '-c:v', 'libxvid', '-bf', '2', '-b:v', '1M', '-c:a', 'libmp3lame']],
    kept('mp3', { frames: null }),
  ),
  clip(
    'mjpeg.avi',
    'Motion JPEG and PCM',
    [[...both, '-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p', '-c:a', 'pcm_s16le']],
    kept('pcm_s16le'),
  ),
  clip('wmv2.wmv', 'Windows Media 8', [...both, '-c:v', 'wmv2', '-b:v', '1M', '-c:a', 'wmav2'], kept('wmav2')),
  clip(
    'flv1.flv',
    'Flash video and MP3',
    [[...film.picture, ...film.sound('stereo', 44_100), '-c:v', 'flv1', '-b:v', '1M', '-c:a', 'libmp3lame']],
    kept('mp3'),
  ),
  clip('h264.flv', 'H.264 and AAC in Flash', [...both, ...x264, ...aac], {
    sounds: [{ codec: 'aac', layout: 'stereo' }],
  }),
  clip(
    'theora.ogv',
    'Theora and Vorbis',
    [...both, '-c:v', 'libtheora', '-q:v', '6', '-c:a', 'libvorbis'],
    kept('vorbis'),
  ),
  clip(
    'prores.mov',
    'ProRes and PCM',
    [[...both, '-c:v', 'prores_ks', '-profile:v', '3', '-pix_fmt', 'yuv422p10le', '-c:a', 'pcm_s24le']],
    { ...kept('pcm_s24le'), depth: 10 },
  ),
  clip(
    'dv.dv',
    'DV, interlaced by nature',
    [
      ...scene({ size: '720x576', frames: 12, after: 'setsar=16/15' }).picture,
      ['-f', 'lavfi', '-i', 'sine=duration=0.48:sample_rate=48000', '-ac', '2', '-pix_fmt', 'yuv420p', '-f', 'dv'],
    ],
    { size: [768, 576], frames: 12, sounds: [{ codec: 'pcm_s16le', layout: 'stereo' }], has_clap: false },
  ),
  clip('mpeg2.mxf', 'MPEG-2 in MXF', [...both, '-c:v', 'mpeg2video', '-b:v', '3M', '-c:a', 'pcm_s16le'], {
    sounds: [{ codec: 'pcm_s16le', layout: 'stereo' }],
  }),
  clip('raw.h264', 'H.264 without a container', [...film.picture, ...x264]),
]

/** Formats of files. */
export const containers: readonly Recipe[] = [...mp4, ...matroska, ...mpeg, ...older]
