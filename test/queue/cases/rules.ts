import { expect } from 'bun:test'
import type { SourceFacts } from '../../../src/contract/profile.ts'
import { settings } from '../../pipeline/samples.ts'
import { bringTo, settledStates } from './states.ts'
import { changedSource, type Check, idOf, keyOf, result, skipped, source } from './world.ts'

const facts: SourceFacts = {
  codec: 'h264',
  width: 1280,
  height: 720,
  is_hdr: false,
  bit_rate: 3_000_000,
  duration_seconds: 60,
  format: 'mov',
}
const skipping = { profile: 'phones', priority: null, skip_reason: 'profile phones says skip' }
const urgent = { profile: 'films', priority: 9, skip_reason: null }

/** What profiles decide of a job, before its claim and in it, and what a change of them asks for. */
export function ruleCases(check: Check): void {
  check('a new source that a rule skips is a skipped job from the start, which nobody claims', async (world) => {
    await world.store.addSources([source('a', { rule: skipping })])
    expect(await world.job('a')).toMatchObject({
      status: 'skipped',
      skip_reason: skipping.skip_reason,
      profile: 'phones',
      attempt: 0,
      priority: 5,
    })
    expect((await world.store.totals()).by_status).toMatchObject({ skipped: 1, pending: 0 })
    expect(await world.store.claim({ worker_id: 'w', request_id: 'r', lease_ms: 1 })).toBeUndefined()
    expect(await world.store.attempts(idOf('a'))).toEqual([])
  })

  check('a rule gives a new job its priority, and leaves that of one that is there', async (world) => {
    await world.add('a')
    await world.store.addSources([source('b', { rule: urgent }), changedSource('a', { rule: urgent })])
    expect(await world.job('b')).toMatchObject({ status: 'pending', priority: 9, profile: null })
    expect((await world.job('a')).priority).toBe(5)
    expect((await world.claim()).id).toBe(idOf('b'))
  })

  check('a source that can never be converted is failed whatever a rule says', async (world) => {
    await world.store.addSources([source('a', { rule: skipping, problem: 'no name' })])
    expect(await world.job('a')).toMatchObject({ status: 'failed', skip_reason: null, profile: null })
  })

  for (const state of [...settledStates, 'processing'] as const) {
    const after = state === 'pending' ? 'skipped' : state
    check(`an unchanged source whose job is ${state} is ${after} after a scan with a new rule`, async (world) => {
      await world.add('a')
      const before = await bringTo(world, 'a', state)
      expect(await world.store.addSources([source('a', { rule: skipping })])).toMatchObject({ unchanged: 1 })
      if (state !== 'pending') expect(await world.job('a')).toEqual(before)
      else expect(await world.job('a')).toMatchObject({ status: 'skipped', skip_reason: skipping.skip_reason })
    })
  }

  check('a skipped source stays so when its rule is gone, until somebody asks for it', async (world) => {
    await world.store.addSources([source('b', { rule: skipping })])
    await world.store.addSources([source('b')])
    expect(await world.job('b')).toMatchObject({ status: 'skipped', profile: 'phones' })
    await world.store.requeue(idOf('b'))
    await world.store.addSources([source('b')])
    expect(await world.job('b')).toMatchObject({ status: 'pending', profile: null })
  })

  check('a changed source is skipped by the rule of now, or queued when there is none', async (world) => {
    await world.store.addSources([source('a'), source('b', { rule: skipping })])
    await world.store.addSources([changedSource('a', { rule: skipping }), changedSource('b')])
    expect(await world.job('a')).toMatchObject({ status: 'skipped', profile: 'phones' })
    expect(await world.job('b')).toMatchObject({ status: 'pending', profile: null, skip_reason: null })
  })

  check('what a claim finds out is kept with the job, with another priority or the same', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    expect(await world.store.learn(key, { source_facts: facts, priority: null })).toMatchObject({ priority: 5 })
    await world.store.learn(key, { source_facts: facts, priority: 2 })
    await world.store.release(key)
    expect(await world.job('a')).toMatchObject({ status: 'pending', source_facts: facts, priority: 2 })
  })

  check('what is found out by a claim that is over is not heard', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.release(key)
    expect(await world.store.learn(key, { source_facts: facts, priority: 2 })).toBeUndefined()
    expect(await world.job('a')).toMatchObject({ source_facts: null, priority: 5 })
  })

  endedCases(check)
}

function endedCases(check: Check): void {
  check('ended jobs are given in pages with the settings of their end, whatever lies between them', async (world) => {
    const { store } = world
    await store.addSources([source('skip', { rule: skipping }), ...['a', 'b', 'c', 'd'].map((name) => source(name))])
    await store.complete(keyOf(await world.claim()), { ...result, settings: settings(), source_facts: facts })
    await store.skip(keyOf(await world.claim()), { ...skipped, settings: settings({ codec: 'hevc' }) })
    await store.complete(keyOf(await world.claim()), result)
    const found: unknown[] = []
    let after: number | null = 0
    for (let page = 0; after !== null; page++) {
      expect(page).toBeLessThan(4)
      const { jobs, next } = await store.endedJobs(after, 2)
      found.push(...jobs.map((job) => [job.id, job.status, job.converted_with?.codec ?? null]))
      after = next
    }
    expect(found).toEqual([
      [idOf('skip'), 'skipped', null],
      [idOf('a'), 'completed', 'h264'],
      [idOf('b'), 'skipped', 'hevc'],
      [idOf('c'), 'completed', null],
    ])
    expect((await store.endedJobs(0, 100)).jobs[1]).toMatchObject({ source_facts: facts, converted_with: settings() })
  })

  check('an empty queue has no ended jobs', async ({ store }) => {
    expect(await store.endedJobs(0, 10)).toEqual({ jobs: [], next: null })
  })

  for (const state of [...settledStates, 'processing'] as const) {
    const isEnded = state === 'completed' || state === 'skipped'
    check(`a ${state} job is ${isEnded ? '' : 'not '}requeued together with others that ended`, async (world) => {
      await world.add('a')
      const before = await bringTo(world, 'a', state)
      expect(await world.store.requeueEnded([{ job_id: idOf('a'), priority: 3 }])).toBe(isEnded ? 1 : 0)
      const job = await world.job('a')
      if (isEnded) expect(job).toMatchObject({ status: 'pending', priority: 3, skip_reason: null })
      else expect(job).toEqual(before)
    })
  }

  check('jobs that are not there are no hindrance, and no priority leaves the old one', async (world) => {
    await world.add('a', 'b')
    for (const name of ['a', 'b']) await bringTo(world, name, 'completed')
    await world.store.prioritize(idOf('a'), 7)
    const wanted = ['a', 'nobody', 'b'].map((name) => ({ job_id: idOf(name), priority: null }))
    expect(await world.store.requeueEnded(wanted)).toBe(2)
    expect([(await world.job('a')).priority, (await world.job('b')).priority]).toEqual([7, 5])
    expect(await world.store.requeueEnded([])).toBe(0)
  })
}
