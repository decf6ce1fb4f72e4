import { runProcess } from '../process.ts'

/** FFmpeg's names of what a build has. */
export type Kind = 'decoders' | 'filters'

interface Asked {
  tools: { ffmpeg_path: string }
  environment: Record<string, string | undefined>
  signal: AbortSignal
}

/** One answer for a program: a worker does not exchange its ffmpeg while it runs. */
const answers = new Map<string, ReadonlySet<string>>()
const listTimeoutMs = 20_000

/** The decoders or filters that an ffmpeg has; an empty set when it does not tell. It is asked once. */
export async function ffmpegHas(kind: Kind, { tools, environment, signal }: Asked): Promise<ReadonlySet<string>> {
  const key = `${kind} ${tools.ffmpeg_path}`
  const known = answers.get(key)
  if (known !== undefined) return known
  const argv = [tools.ffmpeg_path, '-hide_banner', '-loglevel', 'error', `-${kind}`]
  const result = await runProcess({ argv, environment, signal, timeout_ms: listTimeoutMs })
  if (result.killed_for === 'abort') throw signal.reason
  const names = parseNames(result.stdout)
  if (names.size > 0) answers.set(key, names)
  return names
}

/** Reads `ffmpeg -decoders` and `-filters`: columns of flags, which differ from 5.1 to 9.0, and a name. */
export function parseNames(text: string): Set<string> {
  return new Set(text.split(/\r?\n/).flatMap((line) => /^ [A-Z.|]{2,6} ([\w-]+) +\S/.exec(line)?.[1] ?? []))
}

/** Whether there is a decoder of a codec that looks closer than the one that FFmpeg takes. */
export function hasCloserDecoder(codec: string): boolean {
  return codec in closest
}

/**
 * The decoder that finds most damage, where it is not FFmpeg's own choice: the codecs' own libraries see that a range coder
 * has not come out where it must, of which dav1d and FFmpeg's vp9 say nothing.
 */
export function closestDecoder(codec: string, decoders: ReadonlySet<string>): string | null {
  const name = closest[codec]
  return name !== undefined && decoders.has(name) ? name : null
}

const closest: Record<string, string> = { av1: 'libaom-av1', vp9: 'libvpx-vp9' }
