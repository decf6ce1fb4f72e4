import { join } from 'node:path'
import type { ConvertRequest } from '../../src/pipeline/convert.ts'
import { noGpus } from './no-gpus.ts'

type Given = Pick<ConvertRequest, 'source_path' | 'settings' | 'tools'> & Partial<ConvertRequest>

/** Asks for a conversion on the CPU whose files lie in a folder of its own; what is given counts before what is usual. */
export function conversionIn(room: string, given: Given): ConvertRequest {
  return {
    staging_path: join(room, 'attempt', 'out'),
    work_path: join(room, 'work'),
    limits: { encode_timeout_ms: 60_000, probe_timeout_ms: 20_000, stall_timeout_ms: 50_000 },
    gpus: noGpus,
    child_environment: process.env,
    on_progress: () => {},
    signal: new AbortController().signal,
    ...given,
  }
}
