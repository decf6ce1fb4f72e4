import { expect } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import type { SourceFacts } from '../../../src/contract/profile.ts'
import { settings } from '../../pipeline/samples.ts'
import { onCpu } from '../gpu-samples.ts'
import { changedSource, type Check, idOf, keyOf, lease_ms, result, skipped, source, type World } from './world.ts'

const facts: SourceFacts = {
  codec: 'hevc',
  width: 3840,
  height: 2160,
  is_hdr: true,
  bit_rate: 15_000_000,
  duration_seconds: 7200.5,
  format: 'matroska',
}
const record = { source_facts: facts, profile: 'films', settings: settings() }
const score = { metric: 'vmaf', value: 94.5 } as const
const nothing = { skip_reason: null, profile: null, score: null }

/** Sources that are not to be converted, and what is kept of how a job came to its end. */
export function skipCases(check: Check): void {
  check('a skipped job says why, by which profile, and what its source is, also in a reopened queue', async (world) => {
    await world.add('a')
    const claimed = await world.claim('alice')
    world.advance(5000)
    const job: Job = {
      ...claimed,
      status: 'skipped',
      skip_reason: 'the result would be no smaller',
      notes: ['a note'],
      profile: 'films',
      source_facts: facts,
      source_duration: 7200.5,
      ran_on: onCpu(),
    }
    const told = { ...skipped, ...record, notes: ['a note'], ran_on: onCpu() }
    expect(await world.store.skip(keyOf(claimed), told)).toEqual(job)
    await world.reopen()
    expect(await world.job('a')).toEqual(job)
    expect(await world.store.attempts(idOf('a'))).toMatchObject([
      { attempt: 1, outcome: 'skipped', error_message: job.skip_reason, error_class: null, ran_on: onCpu() },
    ])
  })

  check('a skipped job is offered to nobody again, whatever time, scans and retries come', async (world) => {
    await world.add('a')
    await skip(world)
    const before = await world.job('a')
    world.advance(1e9)
    expect(await world.store.addSources([source('a')])).toEqual({ added: 0, changed: 0, unchanged: 1 })
    expect(await world.store.retryFailed(10)).toBe(0)
    expect(await world.store.retryDue()).toBe(0)
    expect(await world.store.reap()).toEqual([])
    expect(await world.store.claim({ worker_id: 'bob', request_id: 'new', lease_ms })).toBeUndefined()
    expect(await world.job('a')).toEqual(before)
  })

  check('a claim that is skipped twice is skipped once, with the first reason', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.skip(key, skipped)
    expect(await world.store.skip(key, { ...skipped, reason: 'another' })).toBeUndefined()
    expect(await world.job('a')).toMatchObject({ skip_reason: skipped.reason })
    expect(await world.store.attempts(idOf('a'))).toHaveLength(1)
  })

  check('source bytes of skipped jobs are neither left nor converted, and no completion is measured', async (world) => {
    await world.add('a', 'b')
    await skip(world)
    expect(await world.store.totals()).toMatchObject({ remaining_source_bytes: 1000, completed_source_bytes: 0 })
    expect(await world.store.completions(0, 100)).toMatchObject({ count: 0 })
    expect(await world.store.paths(10)).toEqual([])
  })

  recordCases(check)
  publicationCases(check)
}

function recordCases(check: Check): void {
  const ends: Record<string, (world: World) => Promise<unknown>> = {
    skipped: skip,
    completed: async (world) => world.store.complete(keyOf(await world.claim()), { ...result, ...record, score }),
  }
  for (const [state, end] of Object.entries(ends)) {
    check(`a ${state} job that is requeued forgets how it ended, and keeps what its source is`, async (world) => {
      await world.add('a')
      await end(world)
      expect(await world.store.requeue(idOf('a'))).toMatchObject({ ...nothing, source_facts: facts })
      expect(await world.claim()).toMatchObject({ ...nothing, source_facts: facts, attempt: 2 })
    })

    check(`a ${state} job whose source changed forgets what the source was as well`, async (world) => {
      await world.add('a')
      await end(world)
      await world.store.addSources([changedSource('a')])
      expect(await world.job('a')).toMatchObject({ ...nothing, status: 'pending', source_facts: null })
    })

    check(
      `what is known of the source of a ${state} job is forgotten when it is seen to have changed`,
      async (world) => {
        await world.add('a')
        await end(world)
        await world.store.updateSource(idOf('a'), { source_size: 2000, source_mtime_ms: 1 })
        expect((await world.job('a')).source_facts).toBeNull()
      },
    )
  }

  check('a completed job has its profile, its score and what its source is', async (world) => {
    await world.add('a')
    await world.store.complete(keyOf(await world.claim()), { ...result, ...record, score })
    await world.reopen()
    expect(await world.job('a')).toMatchObject({ profile: 'films', score, source_facts: facts, skip_reason: null })
  })

  check('a worker that does not tell what the source is takes nothing away that another told', async (world) => {
    await world.add('a')
    await skip(world)
    await world.store.requeue(idOf('a'))
    await world.store.complete(keyOf(await world.claim()), result)
    expect(await world.job('a')).toMatchObject({ source_facts: facts, profile: null, score: null })
  })

  check('a skip takes the place of an earlier result in all but its file', async (world) => {
    await world.add('a')
    await world.store.complete(keyOf(await world.claim()), { ...result, ...record, score })
    await world.store.requeue(idOf('a'))
    await world.store.skip(keyOf(await world.claim()), skipped)
    expect(await world.job('a')).toMatchObject({ output_size: 400, completed_at: null, notes: [], score: null })
    expect(await world.store.publication(idOf('a'))).toMatchObject({ published_size: 400 })
    expect(await world.store.totals()).toMatchObject({ completed_output_bytes: 0 })
  })
}

function publicationCases(check: Check): void {
  const told = { ...result, ...record, score, notes: ['a note'] }

  check('a publication that was begun keeps all that was told of it for the master that ends it', async (world) => {
    await world.add('a')
    await world.store.beginPublish(keyOf(await world.claim()), told)
    await world.reopen()
    const { source_duration, notes, profile } = told
    const kept = { source_duration, notes, profile, score, source_facts: facts }
    expect(await world.store.publishing()).toMatchObject([{ id: idOf('a'), publish_size: 400, ...kept }])
  })

  check('a publication that was abandoned takes it with it, but for what the source is', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.beginPublish(key, told)
    const left = { notes: [], profile: null, score: null, source_facts: facts }
    expect(await world.store.abandonPublish(key)).toMatchObject(left)
    expect(await world.store.release(key)).toMatchObject({ status: 'pending', ...left })
  })
}

async function skip(world: World) {
  return world.store.skip(keyOf(await world.claim()), { ...skipped, ...record })
}
