import { stat } from 'node:fs/promises'
import type { ConversionSettings } from '../../contract/conversion.ts'
import { isMov } from '../plan/streams/container-holds.ts'
import { planExtras } from '../plan/streams/extras.ts'
import { mainVideo } from '../probe/main-video.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import { runProcess } from '../process.ts'
import type { Tools } from '../tools.ts'
import { coverArgs, coverPath } from './stream-args.ts'

/** Where covers are taken from and put. */
export interface CoverRequest {
  info: MediaInfo
  settings: ConversionSettings
  input_path: string
  /** The conversion's own folder. */
  work_path: string
  tools: Tools
  environment: Record<string, string | undefined>
  /** Milliseconds for each. */
  timeout_ms: number
  signal: AbortSignal
}

/**
 * Writes the covers that the result gets as attachments into files. Gives the source without those that could not be
 * read, as covers of no known codec: no film fails for its cover. Throws the signal's reason when it aborts.
 */
export async function extractCovers(request: CoverRequest): Promise<MediaInfo> {
  const { info, settings, input_path: inputPath, work_path: workPath, signal } = request
  if (isMov(settings.container)) return info
  const { covers } = planExtras(info, mainVideo(info), settings.container)
  const unreadable = new Set<number>()
  for (const cover of covers) {
    const result = await runProcess({
      argv: [request.tools.ffmpeg_path, ...coverArgs(cover, inputPath, workPath)],
      environment: request.environment,
      timeout_ms: request.timeout_ms,
      signal,
    })
    signal.throwIfAborted()
    const size = (await stat(coverPath(workPath, cover)).catch(() => undefined))?.size ?? 0
    if (result.exit_code !== 0 || size === 0) unreadable.add(cover.stream_index)
  }
  if (unreadable.size === 0) return info
  const streams = info.streams.map((stream) =>
    unreadable.has(stream.index) ? { ...stream, codec: 'unknown' } : stream,
  )
  return { ...info, streams }
}
