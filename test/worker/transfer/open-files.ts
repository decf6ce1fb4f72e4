import { createClient } from '../../../src/api/client.ts'
import { createFileClient } from '../../../src/api/file-client.ts'
import { listen } from '../../../src/api/server.ts'
import type { FileTransfer } from '../../../src/contract/files.ts'
import { createLog } from '../../../src/util/log.ts'
import { JobFiles, type JobFilesOptions } from '../../../src/worker/transfer/job-files.ts'
import { Pace } from '../../../src/worker/transfer/pace.ts'
import type { PathMapping } from '../../../src/worker/transfer/path-map.ts'
import { SharedMount } from '../../../src/worker/transfer/shared-mount.ts'
import { cleanUpAfterEach } from '../../support/after-each.ts'
import type { TestMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'

const stops: (() => Promise<void>)[] = []
cleanUpAfterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** A test master behind a real socket. */
export function serve(master: TestMaster) {
  const { url, stop } = listen(master.app, { host: '127.0.0.1', port: 0 })
  stops.push(stop)
  return { url, api: createClient(url), transfer: createFileClient(url), stop }
}

export const quietLog = createLog({ level: 'error', format: 'text', output_path: null })

export interface OpenFilesOptions extends Partial<Omit<JobFilesOptions, 'mount'>> {
  path_map?: PathMapping[]
  transfer: FileTransfer
  api: JobFilesOptions['api']
}

/** The files of a worker `w`, over HTTP unless told. */
export function openFiles({ path_map = [], api, ...options }: OpenFilesOptions): JobFiles {
  const worker_id = options.worker_id ?? 'w'
  return new JobFiles({
    api,
    worker_id,
    mode: 'http',
    mount: new SharedMount({ api, worker_id, path_map }),
    master: 'http://master.test',
    work_base: temporaryFolder(),
    pace: new Pace(null),
    max_cache: 0,
    min_free: 0,
    download_timeout_ms: 60_000,
    source_look_ms: 10,
    stall_timeout_ms: 2000,
    retry_pause_ms: 10,
    log: quietLog,
    ...options,
  })
}
