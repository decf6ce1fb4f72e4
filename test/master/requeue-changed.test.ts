import { describe, expect, test } from 'bun:test'
import { renameSync, rmSync } from 'node:fs'
import { loadConfig } from '../../src/config/load.ts'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { SourceFacts } from '../../src/contract/profile.ts'
import { requeueChanged } from '../../src/master/requeue-changed.ts'
import { source } from '../queue/cases/world.ts'
import { caught } from '../pipeline/samples.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

const facts = (changes: Partial<SourceFacts> = {}): SourceFacts => ({
  codec: 'h264',
  width: 1280,
  height: 720,
  is_hdr: false,
  bit_rate: 3_000_000,
  duration_seconds: 60,
  format: 'mov',
  ...changes,
})

/** What a worker tells of a job's end beside what its assignment says. */
interface Told {
  source_facts?: SourceFacts | null
  profile?: string | null
  settings?: ConversionSettings | null
  /** Ends it as skipped. */
  reason?: string
}

/** Adds a source and ends its job as a worker would that found this. */
async function end(master: TestMaster, name: string, told: Told = {}): Promise<string> {
  const id = await master.addSource(name)
  const job = await master.remote.claim({ worker_id: 'w', boot_id: 'b', request_id: crypto.randomUUID() })
  if (job?.id !== id) throw new Error('the newest job is the only one')
  const key = { job_id: id, worker_id: 'w', attempt: job.attempt }
  const record = { source_facts: facts(), profile: null, settings: job.settings, ...told }
  if (told.reason !== undefined) await master.remote.skip({ ...key, ...record, reason: told.reason })
  else {
    const output_size = master.stage(job.staging_path, `result of ${name}`)
    await master.remote.complete({ ...key, ...record, output_size })
  }
  return id
}

/** The same queue with another configuration, as after a restart. */
async function restart(master: TestMaster, config: string): Promise<TestMaster> {
  await master.store.close()
  return openMaster({ base: master.root_path.replace(/\/source$/, ''), config })
}

const asked = { looked_at: 0, requeued: 0, unknown: 0, replaced: 0, missing: 0, groups: [], next: null }
const nothing = (looked_at: number) => ({ ...asked, looked_at })
const requeue = (master: TestMaster, more: { dry_run?: boolean; after?: number } = {}) =>
  master.remote.requeueChanged({ changed: true, ...more })
const statusOf = async (master: TestMaster, job_id: string) => (await master.remote.job({ job_id })).job.status

test('with the same settings nothing is queued again, and a changed configuration alone queues nothing', async () => {
  const before = openMaster({ config: '' })
  const id = await end(before, 'a.mp4')
  expect(await requeue(before)).toEqual(nothing(1))
  const master = await restart(before, 'conversion: {codec: hevc}')
  expect(await statusOf(master, id)).toBe('completed')
  expect(await requeue(master, { dry_run: true })).toMatchObject({ requeued: 1 })
  expect(await statusOf(master, id)).toBe('completed')
})

test('what the changed settings affect is queued again, with the reason, and only that', async () => {
  const before = openMaster({ config: 'conversion: {target_resolution: 1280x720}' })
  const small = await end(before, 'small.mp4')
  const large = await end(before, 'large.mp4', { source_facts: facts({ width: 3840, height: 2160 }) })
  const pending = await before.addSource('pending.mp4')
  const master = await restart(before, 'conversion: {target_resolution: 1920x1080, verify: full}')
  expect(await requeue(master)).toEqual({
    ...nothing(2),
    requeued: 1,
    groups: [{ profile: null, before: null, status: 'completed', changes: ['size 1280x720 -> 1920x1080'], jobs: 1 }],
  })
  expect(await Promise.all([small, large, pending].map((id) => statusOf(master, id)))).toEqual([
    'completed',
    'pending',
    'pending',
  ])
  expect(await requeue(master)).toEqual(nothing(1))
})

test('a profile that is new takes its files by their path and what they are', async () => {
  const before = openMaster({ config: '' })
  const other = await end(before, 'films/b.mp4')
  const film = await end(before, 'films/a.mp4', { source_facts: facts({ height: 1080 }) })
  await end(before, 'clips/a.mp4', { source_facts: facts({ height: 1080 }) })
  const master = await restart(
    before,
    'profiles: [{name: films, path: films/**, when: {min_height: 1080}, priority: 7, conversion: {codec: hevc}}]',
  )
  expect(await requeue(master)).toMatchObject({
    looked_at: 3,
    requeued: 1,
    groups: [{ profile: 'films', before: null, changes: ['codec h264 -> hevc'], jobs: 1 }],
  })
  expect(await statusOf(master, other)).toBe('completed')
  expect((await master.remote.job({ job_id: film })).job).toMatchObject({ status: 'pending', priority: 7 })
})

test('another profile, or another name of one, with the same settings changes nothing', async () => {
  const before = openMaster({ config: 'profiles: [{name: a, path: "*"}]' })
  await end(before, 'a.mp4', { profile: 'a' })
  expect(await requeue(await restart(before, 'profiles: [{name: b, path: "*", priority: 9}]'))).toEqual(nothing(1))
})

describe('a skipped job', () => {
  const rule = { reason: 'profile phones says skip: h264', profile: 'phones', settings: null }
  const skip = 'profiles: [{name: phones, when: {codec: h264}, skip: true}]'

  test('stays so while a profile skips it, whichever', async () => {
    const before = openMaster({ config: skip })
    await end(before, 'a.mp4', rule)
    const master = await restart(before, 'profiles: [{name: clips, when: {max_height: 720}, skip: true}]')
    expect(await requeue(master)).toEqual(nothing(1))
  })

  test('is queued again when no profile does any more', async () => {
    const before = openMaster({ config: skip })
    const id = await end(before, 'a.mp4', rule)
    const master = await restart(before, 'profiles: [{name: rest, conversion: {codec: hevc}}]')
    expect(await requeue(master)).toMatchObject({
      requeued: 1,
      groups: [
        { profile: 'rest', before: 'phones', status: 'skipped', changes: ['not skipped by profile phones any more'] },
      ],
    })
    expect((await master.remote.job({ job_id: id })).job).toMatchObject({ status: 'pending', skip_reason: null })
  })

  test('by its path alone, which nobody has looked at, is queued again in the same way', async () => {
    const before = openMaster({ config: 'profiles: [{name: phones, path: phones/**, skip: true}]' })
    const id = await before.addSource('phones/a.mp4')
    expect(await requeue(before)).toEqual(nothing(1))
    const master = await restart(before, 'profiles: [{name: phones, path: phones/**, when: {hdr: false}, skip: true}]')
    expect(await requeue(master)).toMatchObject({ requeued: 1 })
    expect(await statusOf(master, id)).toBe('pending')
  })

  test('for the size of its result is asked again by other settings, the bound of sizes among them', async () => {
    const before = openMaster({ config: 'conversion: {max_size_ratio: 90%}' })
    await end(before, 'a.mp4', { reason: 'the result would be no smaller' })
    expect(await requeue(before)).toEqual(nothing(1))
    expect(await requeue(await restart(before, 'conversion: {max_size_ratio: 95%}'))).toMatchObject({
      requeued: 1,
      groups: [{ status: 'skipped', changes: ['max_size_ratio 0.9 -> 0.95'] }],
    })
  })
})

describe('left alone', () => {
  const hevc = 'conversion: {codec: hevc}'

  test('is what is converted and would be skipped today: its result is there', async () => {
    const before = openMaster({ config: '' })
    await end(before, 'a.mp4')
    const master = await restart(before, 'profiles: [{name: all, skip: true}]')
    expect(await requeue(master)).toEqual(nothing(1))
  })

  test('and counted is what nobody told the settings of', async () => {
    const before = openMaster({ config: '' })
    const id = await end(before, 'a.mp4', { settings: null })
    const master = await restart(before, hevc)
    expect(await requeue(master)).toEqual({ ...nothing(1), unknown: 1 })
    expect(await statusOf(master, id)).toBe('completed')
  })

  test('and counted is what a profile may or may not take, where nobody told what it is', async () => {
    const before = openMaster({ config: '' })
    await end(before, 'films/a.mp4', { source_facts: null })
    await end(before, 'b.mp4', { source_facts: null })
    const master = await restart(before, `${hevc}\nprofiles: [{name: films, path: films/**, when: {hdr: true}}]`)
    expect(await requeue(master)).toMatchObject({ requeued: 1, unknown: 1 })
  })

  test('and counted is what has taken the place of its source', async () => {
    const before = openMaster({ config: '', replace: { enabled: true } })
    const id = await end(before, 'a.mp4')
    const master = await restart(before, hevc)
    expect(await requeue(master)).toEqual({ ...nothing(1), replaced: 1 })
    expect(await statusOf(master, id)).toBe('completed')
  })

  test('is what was skipped for another reason than its settings: an undo', async () => {
    const before = openMaster({ config: '', replace: { enabled: true } })
    const id = await end(before, 'a.mp4')
    await before.remote.undoJob({ job_id: id })
    const master = await restart(before, hevc)
    expect(await requeue(master)).toEqual(nothing(1))
    expect(await statusOf(master, id)).toBe('skipped')
  })

  test('and counted is what has no source any more', async () => {
    const before = openMaster({ config: '' })
    const gone = await end(before, 'a.mp4')
    await end(before, 'b.mp4')
    rmSync(`${before.root_path}/a.mp4`)
    const master = await restart(before, hevc)
    expect(await requeue(master)).toMatchObject({ looked_at: 2, requeued: 1, missing: 1 })
    expect(await statusOf(master, gone)).toBe('completed')
  })

  test('is everything while the storage is not mounted', async () => {
    const before = openMaster({ config: '' })
    const id = await end(before, 'a.mp4')
    const master = await restart(before, hevc)
    renameSync(master.root_path, `${master.root_path}-away`)
    expect(await caught(requeue(master))).toMatchObject({
      code: 'unavailable',
      message: `the source folder ${master.root_path} is missing or empty: is its storage mounted?`,
    })
    expect(await statusOf(master, id)).toBe('completed')
  })
})

test('the result of before lies there until the new one takes its place', async () => {
  const before = openMaster({ config: '' })
  const id = await end(before, 'a.mp4')
  const master = await restart(before, 'conversion: {codec: hevc}')
  await requeue(master)
  const { output_path } = (await master.remote.job({ job_id: id })).job
  expect(await Bun.file(output_path).text()).toBe('result of a.mp4')
  const job = await master.remote.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  if (!job) throw new Error('it is pending')
  const output_size = master.stage(job.staging_path, 'a better result')
  const key = { job_id: id, worker_id: 'w', attempt: job.attempt }
  await master.remote.complete({ ...key, output_size, source_facts: facts(), settings: job.settings })
  expect(await Bun.file(output_path).text()).toBe('a better result')
  expect(await requeue(master)).toEqual(nothing(1))
})

test('requeueing needs to be told that only changes are meant', async () => {
  const master = openMaster()
  const ask = async (body: object) =>
    (await master.app.request('/api/requeue', { method: 'POST', body: JSON.stringify(body) })).json()
  const refused = {
    code: 'invalid_request',
    message: 'changed: must be true: only jobs whose settings changed are requeued together',
  }
  expect(await ask({ changed: false })).toEqual(refused)
  expect(await ask({})).toMatchObject({ code: 'invalid_request', message: 'changed: is missing' })
  expect(await ask({ changed: true, dry_run: 'maybe' })).toMatchObject({ code: 'invalid_request' })
})

test('a long queue is gone through in several calls, none of which takes long, each where the last one ended', async () => {
  const { store } = openMaster()
  const names = Array.from({ length: 500 }, (_, at) => `${at}.mp4`)
  await store.addSources(
    names.map((name) => source(name, { rule: { profile: 'phones', priority: null, skip_reason: 'it says so' } })),
  )
  const { conversion } = loadConfig({ environment: {}, flags: {} }).config
  const queue = { store, root_path: '/', settings: conversion, profilesOf: () => [], dispatcher: { wake: () => {} } }
  const calls: number[] = []
  for (let after: number | null = 0; after !== null;) {
    const report = await requeueChanged(queue, { dry_run: true, after }, 0)
    calls.push(report.looked_at)
    after = report.next
  }
  expect(calls).toEqual([100, 100, 100, 100, 100, 0])
})
