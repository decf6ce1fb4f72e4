import { expect, test } from 'bun:test'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Api } from '../../../src/contract/api.ts'
import { stagingPath } from '../../../src/master/publish.ts'
import { useClips } from '../../support/clips.ts'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { openWorker, workUntil } from '../open-worker.ts'
import { openFiles, serve } from './open-files.ts'

const clips = useClips()

test('a result that is another file at the master than the one that was checked is not published', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const damaging: Api = {
    ...api,
    async complete(input) {
      const { job } = await master.api.job({ job_id })
      changeOneByte(stagingPath(master.output_base, job))
      return api.complete(input)
    },
  }
  const files = openFiles({ api: damaging, transfer, work_base, mode: 'mount' })
  await workUntil(master, openWorker(damaging, { work_base, files }).worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job.error_message).toContain('another SHA-256 than the one that its worker checked')
  expect(existsSync(job.output_path)).toBe(false)
})

function changeOneByte(path: string): void {
  const bytes = readFileSync(path)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
