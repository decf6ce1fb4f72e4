import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConversionError, type ConversionStep, type FailureClass } from '../contract/failure.ts'
import { errnoOf } from '../util/errno.ts'
import { brokenLimit, isTooLarge, tooLarge } from './ffmpeg/input-limits.ts'
import { type ProbeRequest, readMediaInfo } from './probe/ffprobe.ts'
import { withFirstFrame } from './probe/first-frame.ts'
import { isHdr } from './probe/hdr-metadata.ts'
import { mainVideo } from './probe/main-video.ts'
import type { MediaInfo } from './probe/media-info.ts'
import { withSoundRates } from './probe/sound-rates.ts'

/** `path` is a link to `source_path`, or the same. */
export interface ProbeSourceRequest extends ProbeRequest {
  source_path: string
}

/**
 * Looks at a source. Throws `ConversionError` (step probe) with a sentence for what cannot be converted: a file that is
 * missing, unreadable, empty, no video, a playlist, cut off before its index, or too large a picture.
 */
export async function probeSource(request: ProbeSourceRequest): Promise<MediaInfo> {
  await refuseUnreadable(request.source_path)
  const { info, complaints } = await readMediaInfo(request)
  refuseUnusable(info, complaints)
  const film = mainVideo(info)
  const described = isHdr(film.color) || film.hdr !== null ? await withFirstFrame(request, info, film) : info
  return withSoundRates(request, described)
}

/** ffprobe has one sentence for most of these, and would wait on a fifo for ever. */
async function refuseUnreadable(path: string): Promise<void> {
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) throw refusal('a folder, not a file')
    if (!facts.isFile()) throw refusal('not a regular file')
    if (facts.size === 0) throw refusal('the file is empty')
    await access(path, constants.R_OK)
  } catch (error) {
    if (error instanceof ConversionError) throw error
    const code = errnoOf(error) ?? String(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      // A storage that is not mounted here is this worker's fault, not the file's.
      if (await isFolder(dirname(path))) throw refusal('the file is not there any more')
      throw refusal('its folder is not there: is the storage mounted on this worker?', 'worker')
    }
    if (code === 'EACCES' || code === 'EPERM')
      throw refusal('permission denied: the file may not be read', 'permanent', 'stage')
    if (code === 'ELOOP') throw refusal('a symbolic link that leads back to itself')
    throw refusal(`the file cannot be read: ${code}`, 'retryable')
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

function refuseUnusable(info: MediaInfo, complaints: string): void {
  const videos = info.streams.filter((stream) => stream.kind === 'video')
  const films = videos.filter((stream) => !stream.is_cover)
  const hasAudio = info.streams.some((stream) => stream.kind === 'audio')
  if (films.length === 0) {
    if (videos.length > 0) throw refusal('no video stream, only audio with cover art')
    throw refusal(hasAudio ? 'no video stream, only audio' : 'no video stream')
  }
  const huge = films.find(({ width, height }) => isTooLarge(width, height))
  if (huge) throw refusal(tooLarge(huge.width, huge.height))
  if (films.every(({ width, height }) => width === 0 || height === 0)) {
    throw refusal(brokenLimit(complaints) ?? 'damaged or not a video: the size of its picture cannot be told')
  }
}

/** Step `stage`: the surroundings are at fault, not the file. */
function refusal(
  message: string,
  failureClass: FailureClass = 'permanent',
  step: ConversionStep = 'probe',
): ConversionError {
  return new ConversionError(message, { class: failureClass, step })
}
