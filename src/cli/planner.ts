import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { type FilePlan, planFile, type PlanFileRequest } from '../pipeline/plan-file.ts'
import { knownFigures } from '../pipeline/prove/calibrate.ts'
import { findTools } from '../pipeline/tools.ts'
import type { Log } from '../util/log.ts'
import { GpuPool } from '../worker/gpu-pool.ts'
import { concurrencyOf, openCache } from './build-worker.ts'
import { childEnvironment } from './child-environment.ts'
import { findGpus, proofFolder } from './find-gpus.ts'

/** Thinks conversions through as a worker of this machine would, without doing them. */
export interface Planner {
  plan: (asked: Pick<PlanFileRequest, 'source_path' | 'output_path' | 'settings' | 'profiles'>) => Promise<FilePlan>
  /** Removes what was needed on the way. */
  close: () => void
}

/**
 * Finds ffmpeg and the GPUs. What GPUs have proved before is taken as it is, what they have not is tried; paths are
 * ranked by what was measured before.
 *
 * @throws ConversionError when there is no ffmpeg
 */
export async function openPlanner(config: Config, log: Log, signal: AbortSignal): Promise<Planner> {
  const environment = childEnvironment()
  const tools = await findTools({ ffmpeg_path: config.ffmpeg.path, environment, signal })
  const concurrency = concurrencyOf(config)
  const cache_folder = proofFolder(openCache(config.storage.cache_path))
  const setting = { tools, concurrency, environment, cache_folder, signal }
  const found = await findGpus({ ...setting, config })
  const gpus = new GpuPool({
    ...found,
    slots: concurrency,
    recall: (source, settings) => knownFigures({ ...setting, gpus: found.gpus, source, settings }),
    measure: async () => [],
    usage: () => ({ usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }),
    now: () => performance.now(),
    log,
  })
  const work = mkdtempSync(join(tmpdir(), 'darkstream-plan-'))
  let count = 0
  return {
    plan: (asked) =>
      planFile({
        ...asked,
        work_path: join(work, String(++count)),
        tools,
        gpus,
        child_environment: environment,
        probe_timeout_ms: config.storage.download_timeout,
        signal,
      }),
    close: () => rmSync(work, { recursive: true, force: true }),
  }
}
