import type { Container, Preset } from '../contract/conversion.ts'
import type { AudioPlan } from './audio-plan.ts'
import { fileUrl, inputLimits } from './input-limits.ts'
import type { ConversionPlan, VideoEncoder, VideoPlan } from './plan.ts'

/** FFmpeg's names. */
const muxers: Record<Container, string> = { mp4: 'mp4', mkv: 'matroska', webm: 'webm' }

/** SVT-AV1 counts from 13 (fast) to 0; below 3 it takes days for a film. */
const svtPresets: Record<Preset, number> = {
  ultrafast: 12,
  superfast: 11,
  veryfast: 10,
  faster: 9,
  fast: 8,
  medium: 7,
  slow: 6,
  slower: 4,
  veryslow: 3,
}

/** libvpx has two modes, each with a speed of its own scale: realtime from 5 to 8, good from 5 (fast) to 0. */
const vpxPresets: Record<Preset, readonly [deadline: string, speed: number]> = {
  ultrafast: ['realtime', 8],
  superfast: ['realtime', 6],
  veryfast: ['good', 5],
  faster: ['good', 4],
  fast: ['good', 3],
  medium: ['good', 2],
  slow: ['good', 1],
  slower: ['good', 1],
  veryslow: ['good', 0],
}

/** The whole argv of a conversion but the program. Both paths are ours: staged names, with nothing of a user's in them. */
export function ffmpegArgs(plan: ConversionPlan, inputPath: string, outputPath: string): string[] {
  return [
    ['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-progress', 'pipe:1'],
    // Versions 6 and 7 notice a failure only at the next report, so this must stay short.
    ['-stats_period', '0.5', '-y'],
    plan.video.decode,
    inputLimits,
    ['-i', fileUrl(inputPath)],
    [plan.video, ...plan.audio].flatMap((track) => ['-map', `0:${track.stream_index}`]),
    ['-map_metadata', '0', '-map_chapters', '0'],
    videoArgs(plan.video, plan.container),
    plan.audio.flatMap(audioArgs),
    // One track may start long after another; the muxer waits for it.
    ['-max_muxing_queue_size', '9999'],
    containerArgs(plan.container),
    ['-f', muxers[plan.container], fileUrl(outputPath)],
  ].flat()
}

function videoArgs(video: VideoPlan, container: Container): string[] {
  return [
    ['-filter:v', video.filters.join(',')],
    // Every frame at its own time, in the source's own clock: measured to neither drop nor double one. The clock is spelled
    // out, since FFmpeg's word for it is `-1` in 5.1 and `demux` in 9.0, and each refuses the other's.
    ['-fps_mode:v', 'passthrough', ...(video.time_base === null ? [] : ['-enc_time_base:v', video.time_base])],
    videoEncoderArgs(video),
    // Apple's players know HEVC in mp4 by this tag only.
    video.encoder === 'libx265' && container === 'mp4' ? ['-tag:v', 'hvc1'] : [],
  ].flat()
}

/** An encoder with all its options, as conversions and test encodes spell them. */
export function videoEncoderArgs(video: Pick<VideoPlan, 'encoder' | 'preset' | 'bitrate' | 'rate_hint'>): string[] {
  return ['-c:v', video.encoder, ...encoderArgs[video.encoder](video), '-b:v', String(video.bitrate)]
}

type EncoderChoice = Pick<VideoPlan, 'preset' | 'rate_hint'>

/** How each encoder is told of the preset, and of a rate that the stream itself gets wrong. */
const encoderArgs: Record<VideoEncoder, (choice: EncoderChoice) => string[]> = {
  libx264: ({ preset }) => ['-preset', preset],
  libx265: ({ preset, rate_hint: rate }) => {
    const fps = rate === null ? '' : `:fps=${thousandths(rate)}/1000`
    return ['-preset', preset, '-x265-params', `log-level=error${fps}`]
  },
  libsvtav1: ({ preset, rate_hint: rate }) => {
    const fps = rate === null ? [] : ['-svtav1-params', `fps-num=${thousandths(rate)}:fps-denom=1000`]
    return ['-preset', String(svtPresets[preset]), ...fps]
  },
  'libvpx-vp9': ({ preset }) => {
    const [deadline, speed] = vpxPresets[preset]
    return ['-deadline', deadline, '-cpu-used', String(speed), '-row-mt', '1']
  },
}

function thousandths(rate: number): number {
  return Math.max(1, Math.round(rate * 1000))
}

function audioArgs(track: AudioPlan, position: number): string[] {
  if (track.encoder === 'copy') return [`-c:a:${position}`, 'copy']
  // Holes in the sound are filled with silence: an encoder only counts samples, so what follows would come too early.
  const layout = track.channel_layout === null ? '' : `,aformat=channel_layouts=${track.channel_layout}`
  const rate = track.sample_rate === null ? [] : [`-ar:a:${position}`, String(track.sample_rate)]
  return [
    [`-filter:a:${position}`, `aresample=async=1${layout}`],
    [`-c:a:${position}`, track.encoder, `-b:a:${position}`, String(track.bitrate)],
    rate,
  ].flat()
}

function containerArgs(container: Container): string[] {
  // The index goes in front, so that a player need not seek; a source's time code would come as a track of its own.
  return container === 'mp4' ? ['-movflags', '+faststart', '-write_tmcd', '0'] : []
}
