import type { Container } from '../contract/conversion.ts'
import type { AudioPlan } from './audio-plan.ts'
import { fileUrl, inputLimits } from './input-limits.ts'
import { videoEncoderArgs } from './encoder-args.ts'
import type { ConversionPlan } from './plan.ts'

/** FFmpeg's names. */
const muxers: Record<Container, string> = { mp4: 'mp4', mkv: 'matroska', webm: 'webm', mov: 'mov' }

/** The whole argv of a conversion but the program. Both paths are ours: staged names, with nothing of a user's in them. */
export function ffmpegArgs(plan: ConversionPlan, inputPath: string, outputPath: string): string[] {
  return [
    ['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-progress', 'pipe:1'],
    // Versions 6 and 7 notice a failure only at the next report, so this must stay short.
    ['-stats_period', '0.5', '-y'],
    plan.video.device,
    plan.video.decode,
    inputLimits,
    ['-i', fileUrl(inputPath)],
    [plan.video, ...plan.audio].flatMap((track) => ['-map', `0:${track.stream_index}`]),
    ['-map_metadata', '0', '-map_chapters', '0'],
    videoArgs(plan),
    plan.audio.flatMap(audioArgs),
    // One track may start long after another; the muxer waits for it.
    ['-max_muxing_queue_size', '9999'],
    containerArgs(plan.container),
    ['-f', muxers[plan.container], fileUrl(outputPath)],
  ].flat()
}

function videoArgs({ video, container, expected: { video_codec: codec } }: ConversionPlan): string[] {
  return [
    ['-filter:v', video.filters.join(',')],
    // Every frame at its own time, in the source's own clock: measured to neither drop nor double one. The clock is spelled
    // out, since FFmpeg's word for it is `-1` in 5.1 and `demux` in 9.0, and each refuses the other's.
    ['-fps_mode:v', 'passthrough', ...(video.time_base === null ? [] : ['-enc_time_base:v', video.time_base])],
    videoEncoderArgs(video.encoding),
    // Apple's players know HEVC in mp4 by this tag only.
    codec === 'hevc' && isMov(container) ? ['-tag:v', 'hvc1'] : [],
  ].flat()
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
  return isMov(container) ? ['-movflags', '+faststart', '-write_tmcd', '0'] : []
}

/** mp4 is mov with another brand. */
function isMov(container: Container): boolean {
  return container === 'mp4' || container === 'mov'
}
