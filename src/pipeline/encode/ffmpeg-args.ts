import { dirname, resolve } from 'node:path'
import type { Container } from '../../contract/conversion.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import type { ConversionPlan, VideoPlan } from '../plan.ts'
import { isMov } from '../plan/streams/container-holds.ts'
import { detachedGraph } from './detached-film.ts'
import { videoEncoderArgs } from './encoder-args.ts'
import type { Pass } from './pass.ts'
import { decoderArgs, mapArgs, streamArgs } from './stream-args.ts'

/** FFmpeg's names. */
const muxers: Record<Container, string> = { mp4: 'mp4', mkv: 'matroska', webm: 'webm', mov: 'mov' }

/** Where a conversion's files lie; all of them ours: staged names, with nothing of a user's in them. */
export interface RunPaths {
  input: string
  output: string
  /** What is put into it need not outlast the conversion. */
  work_folder: string
}

/** The argv, but for the program, of each run of ffmpeg that a conversion takes: one, or two passes. */
export function ffmpegRuns(plan: ConversionPlan, { input, output, work_folder }: RunPaths): string[][] {
  if (plan.video.passes === 1) return [ffmpegArgs(plan, input, output, null, work_folder)]
  const log_path = resolve(work_folder, 'pass')
  return [
    firstPassArgs(plan, input, { number: 1, log_path }),
    ffmpegArgs(plan, input, output, { number: 2, log_path }, work_folder),
  ]
}

/** The whole argv of the run that writes a result, but for the program; in one pass unless told. */
export function ffmpegArgs(
  plan: ConversionPlan,
  inputPath: string,
  outputPath: string,
  pass: Pass | null = null,
  workFolder = dirname(inputPath),
): string[] {
  return [
    inputArgs(plan, inputPath, decoderArgs(plan)),
    mapArgs(plan),
    // With no chapter left, mov would point to titles that it does not have.
    ['-map_metadata', '0', '-map_chapters', plan.keeps_chapters ? '0' : '-1'],
    plan.video.is_detached ? detachedGraph(plan.video) : simpleGraph(plan.video),
    videoArgs(plan, pass),
    streamArgs(plan, workFolder),
    // One track may start long after another; the muxer waits for it.
    ['-max_muxing_queue_size', '9999'],
    containerArgs(plan.container),
    ['-f', muxers[plan.container], fileUrl(outputPath)],
  ].flat()
}

/** The film alone, as the second pass will see it, to nowhere. */
function firstPassArgs(plan: ConversionPlan, inputPath: string, pass: Pass): string[] {
  const film = ['-map', `0:${plan.video.stream_index}`]
  const isVpx = plan.video.encoding.encoder === 'libvpx-vp9'
  const video = isVpx ? onGrid(plan.video) : plan.video
  return [
    inputArgs(plan, inputPath),
    film,
    simpleGraph(video),
    videoArgs({ ...plan, video }, pass),
    ['-f', 'null', '-'],
    // FFmpeg counts what encoders put out, and libvpx puts out nothing now. How far it is shows by the bare frames beside it.
    isVpx ? [...film, '-fps_mode:v', 'passthrough', '-c:v', 'wrapped_avframe', '-f', 'null', '-'] : [],
  ].flat()
}

/**
 * libvpx adds up how long frames last to know what it may spend, and FFmpeg 5.1 tells it of each that it lasts one tick of
 * its clock. So that one has the ticks of the mean rate; the second pass gives the frames their own times.
 */
function onGrid(video: VideoPlan): VideoPlan {
  if (video.frame_rate === null) return video
  const rate = Math.max(1, Math.round(video.frame_rate * 1000))
  return { ...video, filters: [...video.filters, `setpts=N*1000/(${rate}*TB)`], time_base: `1000:${rate}` }
}

/** `decoders`: options of decoders beside the film's. */
function inputArgs({ video }: ConversionPlan, inputPath: string, decoders: string[] = []): string[] {
  return [
    ['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-progress', 'pipe:1'],
    // Versions 6 and 7 notice a failure only at the next report, so this must stay short.
    ['-stats_period', '0.5', '-y'],
    video.device,
    video.decode,
    decoders,
    inputLimits,
    ['-i', fileUrl(inputPath)],
  ].flat()
}

function simpleGraph({ filters }: VideoPlan): string[] {
  return ['-filter:v:0', filters.join(',')]
}

function videoArgs(
  { video, container, expected: { video_codec: codec } }: ConversionPlan,
  pass: Pass | null,
): string[] {
  return [
    // Every frame at its own time, in the source's own clock: measured to neither drop nor double one. The clock is spelled
    // out, since FFmpeg's word for it is `-1` in 5.1 and `demux` in 9.0, and each refuses the other's.
    ['-fps_mode:v:0', 'passthrough', ...(video.time_base === null ? [] : ['-enc_time_base:v:0', video.time_base])],
    videoEncoderArgs({ ...video.encoding, pass }),
    // Apple's players know HEVC in mp4 by this tag only.
    codec === 'hevc' && isMov(container) ? ['-tag:v:0', 'hvc1'] : [],
  ].flat()
}

function containerArgs(container: Container): string[] {
  // The index goes in front, so that a player need not seek; a source's time code would come as a track of its own.
  return isMov(container) ? ['-movflags', '+faststart', '-write_tmcd', '0'] : []
}
