import { expect, test } from 'bun:test'
import { openMaster, type TestMaster } from '../support/master.ts'

/** Lets a worker fail so many jobs, each a new one. */
async function failing(master: TestMaster, worker_id: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const job_id = await master.addSource(`${crypto.randomUUID()}.mkv`)
    const job = await master.api.claim({ worker_id, boot_id: 'boot', request_id: crypto.randomUUID() })
    expect(job?.id).toBe(job_id)
    await master.api.fail({ job_id, worker_id, attempt: 1, error_message: 'its disk is full' })
  }
}

const ask = ({ remote }: TestMaster, wait = 0) =>
  remote.claim({ worker_id: 'w', boot_id: 'boot', request_id: crypto.randomUUID(), wait })

const aside = { seconds_left: 60, failures: 5, reason: 'its disk is full' }

async function viewOf({ remote }: TestMaster) {
  return (await remote.workers({})).workers.find(({ id }) => id === 'w')?.set_aside
}

test('a worker that fails everything is set aside: it is shown why, told why, and given nothing', async () => {
  const master = openMaster()
  await master.api.register({ worker_id: 'w', boot_id: 'boot' })
  await failing(master, 'w', 4)
  expect(await viewOf(master)).toBeNull()
  expect(await master.remote.heartbeat({ worker_id: 'w', boot_id: 'boot' })).toEqual({ status: 'ok' })
  await failing(master, 'w', 1)
  expect(await viewOf(master)).toEqual(aside)
  master.clock.now += 500
  expect(await viewOf(master)).toEqual(aside)
  expect(await master.remote.heartbeat({ worker_id: 'w', boot_id: 'boot' })).toEqual({
    status: 'ok',
    message: 'set aside for 60 s after 5 failures in a row: its disk is full',
  })
  await master.addSource('next.mkv')
  expect(await ask(master)).toBeNull()
  expect(await master.remote.nextJob({ worker_id: 'w' })).toBeNull()
  expect(await master.remote.nextJob({ worker_id: 'other' })).not.toBeNull()
})

test('it is still set aside after the master was started anew, and works again when its pause is over', async () => {
  const first = openMaster()
  await first.api.register({ worker_id: 'w', boot_id: 'boot' })
  await failing(first, 'w', 5)
  const started = first.clock.now
  await first.coordinator.stop()
  await first.store.close()
  const master = openMaster({ base: first.root_path.replace(/\/source$/, '') })
  master.clock.now = started + 1000
  await master.addSource('next.mkv')
  expect(await viewOf(master)).toEqual({ ...aside, seconds_left: 59 })
  expect(await ask(master)).toBeNull()
  master.clock.now += 59_000
  expect(await viewOf(master)).toBeNull()
  expect(await ask(master)).not.toBeNull()
})

test('a request that waits is answered as soon as its worker is resumed', async () => {
  const master = openMaster()
  await master.api.register({ worker_id: 'w', boot_id: 'boot' })
  await failing(master, 'w', 5)
  const id = await master.addSource('next.mkv')
  const waiting = ask(master, 50)
  expect(await master.remote.resumeWorker({ worker_id: 'w' })).toEqual({
    status: 'ok',
    message: 'worker w is given jobs again',
  })
  expect(await waiting).toMatchObject({ id })
  expect(await viewOf(master)).toBeNull()
  expect(await master.remote.resumeWorker({ worker_id: 'w' })).toMatchObject({ message: 'worker w is not set aside' })
})

test('to resume a worker that nobody knows is an error; one that only claims can be resumed too', async () => {
  const master = openMaster()
  expect(await master.remote.resumeWorker({ worker_id: 'w' }).catch((error: unknown) => error)).toMatchObject({
    code: 'not_found',
    message: 'there is no worker w',
  })
  await failing(master, 'w', 5)
  expect(await master.remote.resumeWorker({ worker_id: 'w' })).toMatchObject({ status: 'ok' })
})

test('whether a worker is set aside is a figure', async () => {
  const master = openMaster()
  await master.api.register({ worker_id: 'w', boot_id: 'boot' })
  await master.api.heartbeat({ worker_id: 'fine' })
  await failing(master, 'w', 5)
  const lines = (await (await master.app.request('/metrics')).text()).split('\n')
  expect(lines.filter((line) => line.startsWith('darkstream_worker_set_aside'))).toEqual([
    'darkstream_worker_set_aside{worker="fine"} 0',
    'darkstream_worker_set_aside{worker="w"} 1',
  ])
})
