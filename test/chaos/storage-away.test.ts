import { expect, test } from 'bun:test'
import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import type { FailureReport } from '../../src/contract/failure.ts'
import { openMaster } from '../support/master.ts'

const report: FailureReport = { class: 'permanent', step: 'encode', command: [], stderr_tail: '', exit_code: 1 }

test("a failure that is told while the source folder is empty is nobody's: the job is queued again, and not for good", async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.api.register({ worker_id: 'alice', boot_id: 'boot' })
  const claim = async () =>
    master.remote.claim({ worker_id: 'alice', boot_id: 'boot', request_id: crypto.randomUUID() })
  const first = await claim()
  const away = `${master.root_path}-away`
  renameSync(master.root_path, away)
  mkdirSync(master.root_path)
  const failure = {
    job_id: id,
    worker_id: 'alice',
    attempt: first?.attempt ?? 0,
    error_message: 'damaged: it cannot be decoded',
    report,
  }
  expect(await master.remote.fail(failure)).toEqual({ status: 'pending' })
  expect(await claim()).toBeNull()
  rmdirSync(master.root_path)
  renameSync(away, master.root_path)
  master.clock.now += 60_000
  expect(await claim()).toMatchObject({ id, attempt: 2, retry_count: 0 })
  const { attempts } = await master.api.job({ job_id: id })
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['released'])
})
