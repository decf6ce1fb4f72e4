import type { Log } from '../util/log.ts'
import type { GpuPool } from './gpu-pool.ts'
import type { Space } from './space.ts'
import { whyUnmounted } from './storage-check.ts'

export interface ObstacleWatchOptions {
  /** Where the shared storage is mounted; null when that is not to be checked. */
  mount_path: string | null
  gpus: GpuPool
  space: Space
  log: Log
}

/** Knows why a worker takes no jobs at the moment, and says so once for each change. */
export class ObstacleWatch {
  private readonly options: ObstacleWatchOptions
  /** As the last look found it, a clause; undefined when jobs can be taken. */
  current: string | undefined

  constructor(options: ObstacleWatchOptions) {
    this.options = options
  }

  /** Looks; why nothing is to be claimed now. */
  async look(): Promise<string | undefined> {
    const { mount_path, gpus, space, log } = this.options
    const found = (await whyUnmounted(mount_path)) ?? gpus.whyIdle() ?? (await space.whyNone())
    if (found !== this.current) {
      if (found === undefined) log.info('claiming again')
      else log.warn(`not claiming: ${found}`)
    }
    this.current = found
    return found
  }
}
