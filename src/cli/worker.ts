import { createClient } from '../api/client.ts'
import { buildWorker } from './build-worker.ts'
import { openLog } from './open-log.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'
import { versionLine } from './version.ts'

export async function run(args: CommandArgs): Promise<number> {
  const { config } = settingsOf(args)
  const log = openLog(config.logging)
  const { master_url } = config.worker
  const { worker, worker_id, concurrency, release } = await buildWorker(
    config,
    createClient(master_url),
    log,
    master_url,
  )
  log.info(`${versionLine()}: worker ${worker_id}, ${concurrency} at a time, for ${master_url}`)
  onStopSignals(
    () => {
      log.info(`stopping: finishing what is running (${worker.activeJobs}); a second signal gives it back now`)
      worker.drain()
    },
    () => worker.stop(),
  )
  try {
    await worker.run()
  } finally {
    await release()
  }
  log.info('stopped')
  return 0
}
