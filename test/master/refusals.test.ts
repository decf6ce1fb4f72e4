import { expect, test } from 'bun:test'
import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import type { FailureReport } from '../../src/contract/failure.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

const timeout_ms = 120_000
const report: FailureReport = { class: 'worker', step: 'encode', command: [], stderr_tail: '', exit_code: 1 }

/** Lets a worker claim what is next and fail it as one that it cannot do. */
async function refuse(master: TestMaster, worker_id: string, error_message = 'no such encoder') {
  const job = await claim(master, worker_id)
  if (!job) throw new Error(`nothing for ${worker_id}`)
  return master.remote.fail({ job_id: job.id, worker_id, attempt: job.attempt, error_message, report })
}

function claim({ remote }: TestMaster, worker_id: string, wait = 0) {
  return remote.claim({ worker_id, boot_id: 'boot', request_id: crypto.randomUUID(), wait })
}

/** The state that a call answers, or the code that it is refused with. */
function answerOf(call: Promise<{ status: string }>): Promise<string> {
  return call.then(
    ({ status }) => status,
    (error: { code: string }) => error.code,
  )
}

const register = ({ api }: TestMaster, ...ids: string[]) =>
  Promise.all(ids.map((worker_id) => api.register({ worker_id, boot_id: 'boot' })))

test('what one worker cannot do goes to another that waits, at once, and not back to the first', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await register(master, 'alice', 'bob')
  const job = await claim(master, 'alice')
  const waiting = claim(master, 'bob', 50)
  const failure = {
    job_id: id,
    worker_id: 'alice',
    attempt: job?.attempt ?? 0,
    error_message: 'no such encoder',
    report,
  }
  expect(await master.remote.fail(failure)).toEqual({ status: 'pending' })
  expect(await waiting).toMatchObject({ id, attempt: 2 })
  expect(await master.remote.fail(failure)).toEqual({ status: 'processing' })
  expect(master.events.find((event) => event.type === 'failed')).toMatchObject({
    detail: 'worker alice cannot do it: it is offered to others',
  })
})

test('with one worker, what it cannot do ends as failed with its reason once its retries are used up', async () => {
  const master = openMaster({ max_retries: 2 })
  const id = await master.addSource('a.mkv')
  await register(master, 'alice')
  for (let retry = 0; retry <= 2; retry++) {
    await refuse(master, 'alice')
    master.clock.now += 600_000
    await master.store.retryDue()
  }
  expect((await master.api.job({ job_id: id })).job).toMatchObject({
    status: 'failed',
    retry_count: 2,
    retry_at_ms: null,
    error_message: 'no other worker is there to try: no such encoder',
  })
})

test('three workers that cannot do a job end it', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await register(master, 'alice', 'bob', 'carol', 'dave')
  for (const worker_id of ['carol', 'alice']) await refuse(master, worker_id)
  expect(await refuse(master, 'bob', 'its disk is full')).toEqual({ status: 'failed' })
  expect((await master.api.job({ job_id: id })).job).toMatchObject({
    error_message: '3 workers failed it (alice, bob, carol), the last: its disk is full',
    retry_at_ms: null,
  })
})

test('a job that waits for a worker which never comes back is tried again by the one that is there', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await register(master, 'alice', 'bob')
  await refuse(master, 'alice')
  await master.api.leave({ worker_id: 'bob', boot_id: 'boot' })
  master.clock.now += timeout_ms
  await master.coordinator.start()
  await master.whenEnded(2)
  const { job } = await master.api.job({ job_id: id })
  expect(job).toMatchObject({ status: 'failed', error_message: 'no other worker took it: no such encoder' })
  expect(job.retry_at_ms).toBeGreaterThan(master.clock.now)
  master.clock.now = job.retry_at_ms ?? 0
  await master.store.retryDue()
  expect(await claim(master, 'alice')).toMatchObject({ id, retry_count: 1 })
})

test('a call that ends a claim is answered again when it comes twice, and refused when the claim ended otherwise', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const key = (attempt: number) => ({ job_id: id, worker_id: 'alice', attempt })
  await claim(master, 'alice')
  expect(await answerOf(master.remote.release(key(1)))).toBe('pending')
  expect(await answerOf(master.remote.release(key(1)))).toBe('pending')
  expect(await answerOf(master.remote.fail(key(1)))).toBe('conflict')
  await claim(master, 'alice')
  master.clock.now += timeout_ms
  await master.store.reap()
  for (const call of [
    master.remote.fail(key(2)),
    master.remote.release(key(2)),
    master.remote.complete({ ...key(2), output_size: 1 }),
  ]) {
    expect(await answerOf(call)).toBe('conflict')
  }
  await claim(master, 'alice')
  expect(await answerOf(master.remote.fail(key(3)))).toBe('failed')
  expect(await answerOf(master.remote.fail({ ...key(3), worker_id: 'bob' }))).toBe('conflict')
  expect(await answerOf(master.remote.release(key(3)))).toBe('conflict')
  expect(await answerOf(master.remote.fail(key(3)))).toBe('failed')
  expect((await master.store.attempts(id)).map(({ outcome }) => outcome)).toEqual(['released', 'lost', 'failed'])
})

test('a worker whose lease ran out unnoticed still owns its job in every call', async () => {
  const master = openMaster()
  const [a, b] = [await master.addSource('a.mkv'), await master.addSource('b.mkv')]
  await register(master, 'alice')
  const first = await claim(master, 'alice')
  await claim(master, 'alice')
  master.clock.now += 10 * timeout_ms
  const progress = { step: 'encode', percent: 1, fps: null, speed: null, eta_seconds: null } as const
  const key = { job_id: a, worker_id: 'alice', attempt: 1 }
  expect(await master.remote.reportProgress({ ...key, progress })).toEqual({ status: 'ok' })
  const output_size = master.stage(first?.staging_path ?? '', 'result')
  expect(await master.remote.complete({ ...key, output_size })).toEqual({ status: 'completed' })
  await master.remote.heartbeat({ worker_id: 'alice', boot_id: 'boot', claims: [{ job_id: b, attempt: 1 }] })
  expect(await master.store.reap()).toEqual([])
})

test('what is offered to others wakes those who wait, however many there are', async () => {
  const master = openMaster()
  await master.addSource('a.mkv')
  await register(master, 'alice', 'bob', 'carol')
  const job = await claim(master, 'alice')
  const waiting = ['bob', 'carol', 'alice'].map(async (worker_id) => {
    const got = await claim(master, worker_id, 50)
    return got && worker_id
  })
  await master.remote.fail({ job_id: job?.id ?? '', worker_id: 'alice', attempt: 1, report })
  expect(await Promise.race(waiting)).toBeOneOf(['bob', 'carol'])
  await master.coordinator.stop()
  expect((await Promise.all(waiting)).filter((id) => id !== null)).toHaveLength(1)
})

test("a failure that is told while the source folder is empty is nobody's: the job is queued again, and not for good", async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await register(master, 'alice')
  const job = await claim(master, 'alice')
  const away = `${master.root_path}-away`
  renameSync(master.root_path, away)
  mkdirSync(master.root_path)
  const failure = { job_id: id, worker_id: 'alice', attempt: job?.attempt ?? 0, error_message: 'damaged' }
  const permanent: FailureReport = { ...report, class: 'permanent' }
  expect(await master.remote.fail({ ...failure, report: permanent })).toEqual({ status: 'pending' })
  expect(await claim(master, 'alice')).toBeNull()
  rmdirSync(master.root_path)
  renameSync(away, master.root_path)
  master.clock.now += 60_000
  expect(await claim(master, 'alice')).toMatchObject({ id, attempt: 2, retry_count: 0 })
  const { attempts } = await master.api.job({ job_id: id })
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['released'])
})
