import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConversionError } from '../contract/failure.ts'
import { runProcess } from './process.ts'
import { StartError } from './process/guard.ts'

/** The two programs of one FFmpeg build, found and tried. */
export interface Tools {
  /** Absolute paths. */
  ffmpeg_path: string
  ffprobe_path: string
  /** As ffmpeg prints it: `5.1.9-0+deb12u1`, `n7.1`, `N-118345-g5ec3b1a9a6`. */
  version: string
}

/** What `findTools` needs to know. */
export interface FindToolsRequest {
  /** A path, or a bare name that is looked up in the environment's PATH. */
  ffmpeg_path: string
  environment: Record<string, string | undefined>
  signal: AbortSignal
}

/** The first release with `-fps_mode`; Debian 12's. */
const oldestVersion = [5, 1] as const
const remedy = 'install FFmpeg 5.1 or newer (apt-get install ffmpeg) or set ffmpeg.path'
const versionTimeoutMs = 20_000

/** Finds ffmpeg and the ffprobe beside it. Throws `ConversionError` of class worker with a sentence that names the remedy. */
export async function findTools(request: FindToolsRequest): Promise<Tools> {
  const ffmpegPath = lookUp(request.ffmpeg_path, request.environment)
  if (ffmpegPath === undefined) {
    const where = request.ffmpeg_path.includes('/') ? `at ${request.ffmpeg_path}` : `in PATH as ${request.ffmpeg_path}`
    throw unusable(`ffmpeg was not found ${where}: ${remedy}`)
  }
  const ffprobePath = siblingProbe(ffmpegPath)
  if (ffprobePath === undefined) throw unusable(`there is no ffprobe beside ${ffmpegPath}: ${remedy}`)
  const version = await readVersion(ffmpegPath, request)
  if (isTooOld(version)) throw unusable(`${ffmpegPath} is FFmpeg ${version}, which is too old: ${remedy}`)
  return { ffmpeg_path: ffmpegPath, ffprobe_path: ffprobePath, version }
}

/** Whether a version is a release before 5.1. A build from git (`N-…`, `git-…`, `2024-…`) counts as new. */
export function isTooOld(version: string): boolean {
  const release = /^n?(\d{1,3})\.(\d+)/.exec(version)
  if (release === null) return false
  const [major, minor] = [Number(release[1]), Number(release[2])]
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])
}

function lookUp(path: string, environment: Record<string, string | undefined>): string | undefined {
  const searchPath = environment['PATH']
  return Bun.which(path, searchPath === undefined ? {} : { PATH: searchPath }) ?? undefined
}

/** Beside the path as given, or beside what it is a link to. A wrapper named `ffmpeg9` has no sibling by rule, so PATH's is not taken. */
function siblingProbe(ffmpegPath: string): string | undefined {
  const name = basename(ffmpegPath).replace('ffmpeg', 'ffprobe')
  return (
    [ffmpegPath, realpathSync(ffmpegPath)]
      .flatMap((path) => [join(dirname(path), name), join(dirname(path), 'ffprobe')])
      // Of a program that is not called ffmpeg the first name is its own.
      .find((path) => path !== ffmpegPath && path !== realpathSync(ffmpegPath) && existsSync(path))
  )
}

async function readVersion(ffmpegPath: string, request: FindToolsRequest): Promise<string> {
  try {
    const result = await runProcess({
      argv: [ffmpegPath, '-version'],
      environment: request.environment,
      timeout_ms: versionTimeoutMs,
      signal: request.signal,
    })
    const version = /^ffmpeg version (\S+)/.exec(result.stdout)?.[1]
    if (version !== undefined) return version
  } catch (error) {
    if (!(error instanceof StartError)) throw error
  }
  request.signal.throwIfAborted()
  throw unusable(`${ffmpegPath} does not run as an ffmpeg: ${remedy}`)
}

function unusable(message: string): ConversionError {
  return new ConversionError(message, { class: 'worker', step: 'stage' })
}
