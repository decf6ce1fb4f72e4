import { writeSync } from 'node:fs'
import { parseDuration } from '../config/quantities.ts'
import { sleep } from '../util/clock.ts'
import { parseGpuArgument, readingLines } from '../vulkan/usage/lines.ts'
import { type MeteredGpu, usageReader } from '../vulkan/usage/reader.ts'
import { type CommandArgs, UsageError } from './usage.ts'

/**
 * The child of `startGpuMeter`: reads how busy the GPUs are, in this very process, and writes it. It ends when nobody
 * reads that any more, also where nothing ends it with its parent.
 */
export async function run(args: CommandArgs): Promise<number> {
  const gpus = args.positionals.map(gpuOf)
  const interval_ms = intervalOf(args.text('interval') ?? '2s')
  const look = usageReader({ gpus })
  while (tell(readingLines(look()))) await sleep(interval_ms)
  return 0
}

function gpuOf(text: string): MeteredGpu {
  const gpu = parseGpuArgument(text)
  if (!gpu) throw new UsageError(`${JSON.stringify(text)} is no GPU, such as 0000:01:00.0=10de=vulkan:0`)
  return gpu
}

function intervalOf(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 10 || ms > 3_600_000) throw new UsageError('--interval must be from 10ms to 1h')
  return ms
}

/** At once and whole, as `probe-vulkan` does it; whether anybody is there to read it. */
function tell(text: string): boolean {
  const bytes = new TextEncoder().encode(text)
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
    return true
  } catch {
    return false
  }
}
