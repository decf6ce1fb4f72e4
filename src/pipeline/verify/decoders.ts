import { parseEncoders } from '../prove/ffmpeg-lists.ts'
import { runProcess } from '../process.ts'
import type { Tools } from '../tools.ts'

/** Which ffmpeg to ask. */
interface DecodersRequest {
  tools: Pick<Tools, 'ffmpeg_path' | 'version'>
  environment: Record<string, string | undefined>
  signal: AbortSignal
}

const timeoutMs = 20_000
/** By path and version: a program that was replaced is asked anew. */
const asked = new Map<string, ReadonlySet<string>>()

/** The names of the decoders that an ffmpeg has; asked once, when it is first wanted. Empty when it does not tell. */
export async function ffmpegDecoders({ tools, ...run }: DecodersRequest): Promise<ReadonlySet<string>> {
  const key = `${tools.ffmpeg_path} ${tools.version}`
  const known = asked.get(key)
  if (known !== undefined) return known
  const argv = [tools.ffmpeg_path, '-hide_banner', '-decoders']
  const { stdout } = await runProcess({ environment: run.environment, signal: run.signal, argv, timeout_ms: timeoutMs })
  run.signal.throwIfAborted()
  const decoders = parseEncoders(stdout)
  if (decoders.size > 0) asked.set(key, decoders)
  return decoders
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
