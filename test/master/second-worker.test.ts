import { expect, test } from 'bun:test'
import { openMaster } from '../support/master.ts'

const one = { worker_id: 'w', hostname: 'rack-1', boot_id: 'one' }
const other = { worker_id: 'w', hostname: 'rack-2', boot_id: 'other' }

test('a second worker of the same id on another host is refused with a sentence, and the first goes on', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.remote.register(one)
  await master.remote.claim({ worker_id: 'w', boot_id: 'one', request_id: 'r' })
  const before = await master.remote.workers({})
  const answer = await master.app.request('/api/worker/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(other),
  })
  expect(answer.status).toBe(409)
  expect(await answer.json()).toEqual({
    code: 'conflict',
    message: 'a worker w runs on rack-1: give this one another worker.id',
  })
  expect(await master.remote.workers({})).toEqual(before)
  expect((await master.remote.job({ job_id: id })).job).toMatchObject({ status: 'processing', worker_id: 'w' })
  expect(await master.remote.heartbeat({ ...one })).toEqual({ status: 'ok' })
})

test('its place is free once it was silent for as long as a lost worker is, or has left', async () => {
  const master = openMaster()
  await master.remote.register(one)
  master.clock.now += 120_000
  expect(await master.remote.register(other)).toMatchObject({ released: 0 })
  await master.remote.leave({ worker_id: 'w', boot_id: 'other' })
  expect(await master.remote.register({ ...one, boot_id: 'three' })).toMatchObject({ released: 0 })
})

test('a worker that was started anew on its host gets its place and its jobs back at once', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.remote.register(one)
  await master.remote.claim({ worker_id: 'w', boot_id: 'one', request_id: 'r' })
  expect(await master.remote.register({ ...one, boot_id: 'two' })).toMatchObject({ released: 1 })
  expect(await master.remote.claim({ worker_id: 'w', boot_id: 'two', request_id: 'r2' })).toMatchObject({
    id,
    attempt: 2,
  })
})
