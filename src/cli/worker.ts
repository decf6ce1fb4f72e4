import { createClient } from '../api/client.ts'
import { createFileClient } from '../api/file-client.ts'
import { type BuiltWorker, buildWorker } from './build-worker.ts'
import { systemdNotifier } from './notify.ts'
import { followMaster, masterUrlOf } from './find-master.ts'
import { openLog } from './open-log.ts'
import { settingsOf, tellDoubts } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'
import { versionLine } from './version.ts'

export async function run(args: CommandArgs): Promise<number> {
  const loaded = settingsOf(args)
  const { config } = loaded
  const log = openLog(config.logging)
  tellDoubts(loaded, 'worker', log)
  const starting = new AbortController()
  let built: BuiltWorker | undefined
  onStopSignals(
    () => {
      if (built === undefined) return starting.abort()
      const { worker } = built
      log.info(`stopping: finishing what is running (${worker.activeJobs}); a second signal gives it back now`)
      worker.drain()
    },
    () => built?.worker.stop(),
  )
  const master_url = await masterUrlOf(loaded, starting.signal, log)
  const ending = new AbortController()
  const request = followMaster(loaded, master_url, ending.signal, log)
  built = await buildWorker({
    config,
    api: createClient(master_url, request),
    transfer: createFileClient(master_url, request),
    log,
    signal: starting.signal,
    master: master_url,
  })
  if (built === undefined) {
    log.info('stopped before it began')
    return 0
  }
  const { worker, worker_id, concurrency, release } = built
  log.info(`${versionLine()}: worker ${worker_id}, ${concurrency} at a time, for ${master_url}`)
  const notifier = systemdNotifier(process.env, log, async () => true)
  notifier.ready()
  try {
    await worker.run()
  } finally {
    notifier.stopping()
    ending.abort()
    await release()
  }
  log.info('stopped')
  return 0
}
