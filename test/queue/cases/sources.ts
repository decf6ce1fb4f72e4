import { expect } from 'bun:test'
import { bringTo, settledStates } from './states.ts'
import { changedSource, type Check, failure, idOf, keyOf, refusal, result, source, type World } from './world.ts'

const nothing = { added: 0, changed: 0, unchanged: 0 }

/** Which files become jobs, once, and when they do again. */
export function sourceCases(check: Check): void {
  check('a new source becomes a pending job of which nothing was tried', async (world) => {
    expect(await world.store.addSources([source('a')])).toEqual({ ...nothing, added: 1 })
    expect(await world.job('a')).toEqual({
      id: idOf('a'),
      source_path: '/in/a.mkv',
      output_path: '/out/a.mp4',
      status: 'pending',
      worker_id: null,
      started_at: null,
      completed_at: null,
      error_message: null,
      retry_count: 0,
      max_retries: 3,
      created_at: world.now,
      source_duration: null,
      output_size: null,
      attempt: 0,
      priority: 5,
      source_size: 1000,
      source_mtime_ms: 1_700_000_000_000,
      error_class: null,
      retry_at_ms: null,
      notes: [],
      ran_on: null,
      skip_reason: null,
      profile: null,
      source_facts: null,
      score: null,
    })
  })

  check('a batch of nothing adds nothing', async ({ store }) => {
    expect(await store.addSources([])).toEqual(nothing)
  })

  check('a batch counts what was added, changed and unchanged, each file once', async ({ store, add }) => {
    await add('same', 'other')
    const batch = [source('same'), changedSource('other'), source('new'), source('new')]
    expect(await store.addSources(batch)).toEqual({ added: 1, changed: 1, unchanged: 2 })
  })

  check('a batch that holds an impossible source adds none of its sources', async ({ store, add }) => {
    await add('a')
    const clash = source('another path', { id: idOf('a') })
    expect(await refusal(store.addSources([source('b'), clash]))).toBeInstanceOf(Error)
    expect(await store.job(idOf('b'))).toBeUndefined()
    expect((await store.totals()).by_status.pending).toBe(1)
  })

  for (const state of [...settledStates, 'processing'] as const) {
    check(`an unchanged source whose job is ${state} is not queued again`, async (world) => {
      await world.add('a')
      const before = await bringTo(world, 'a', state)
      expect(await world.store.addSources([source('a')])).toEqual({ ...nothing, unchanged: 1 })
      expect(await world.job('a')).toEqual(before)
    })
  }

  for (const state of settledStates) {
    check(`a changed source whose job is ${state} is queued as if it had never been tried`, async (world) => {
      await world.add('a')
      const before = await bringTo(world, 'a', state)
      expect(await world.store.addSources([changedSource('a')])).toEqual({ ...nothing, changed: 1 })
      expect(await world.job('a')).toEqual({
        ...before,
        status: 'pending',
        worker_id: null,
        started_at: null,
        completed_at: null,
        error_message: null,
        error_class: null,
        retry_count: 0,
        retry_at_ms: null,
        output_size: null,
        source_duration: null,
        notes: [],
        skip_reason: null,
        source_size: 2000,
        source_mtime_ms: 1_700_000_060_000,
      })
      expect((await world.claim()).attempt).toBe(before.attempt + 1)
    })
  }

  check('a changed source is left alone while its job is processed, and queued by the next scan', async (world) => {
    await world.add('a')
    const claimed = await world.claim()
    expect(await world.store.addSources([changedSource('a')])).toEqual({ ...nothing, unchanged: 1 })
    expect(await world.job('a')).toEqual(claimed)
    await world.store.complete(keyOf(claimed), result)
    expect(await world.store.addSources([changedSource('a')])).toEqual({ ...nothing, changed: 1 })
  })

  for (const [what, change] of [
    ['another size', { source_size: 1001 }],
    ['a later time', { source_mtime_ms: 1_700_000_000_001 }],
    ['an earlier time', { source_mtime_ms: 1_600_000_000_000 }],
  ] as const) {
    check(`a source with ${what} has changed, once`, async ({ store, add }) => {
      await add('a')
      expect(await store.addSources([source('a', change)])).toEqual({ ...nothing, changed: 1 })
      expect(await store.addSources([source('a', change)])).toEqual({ ...nothing, unchanged: 1 })
    })
  }

  check('a source put back after a pause is not held back any more once it changed', async (world) => {
    await world.add('a')
    await world.store.release(keyOf(await world.claim()), world.now_ms + 10_000)
    await world.store.addSources([changedSource('a')])
    expect((await world.claim()).attempt).toBe(2)
  })

  outputCases(check)
  problemCases(check)
  fingerprintCases(check)
}

function outputCases(check: Check): void {
  check('a job gets the first of its outputs that no other job has', async (world) => {
    await world.store.addSources(
      ['mkv', 'mov', 'avi'].map((name) => source(name, { output_paths: ['/out/x.mp4', `/out/x.${name}.mp4`] })),
    )
    expect(await outputsOf(world, 'mkv', 'mov', 'avi')).toEqual(['/out/x.mp4', '/out/x.mov.mp4', '/out/x.avi.mp4'])
  })

  check('a job keeps its output when its source is found again, or changed', async (world) => {
    const shared = { output_paths: ['/out/x.mp4', '/out/x.mov.mp4'] }
    await world.store.addSources([source('mkv', shared), source('mov', shared)])
    await world.store.addSources([source('mov', shared), source('mkv', shared)])
    await world.store.addSources([changedSource('mov', shared), changedSource('mkv', shared)])
    expect(await outputsOf(world, 'mkv', 'mov')).toEqual(['/out/x.mp4', '/out/x.mov.mp4'])
  })
}

function problemCases(check: Check): void {
  const hopeless = source('a', { problem: 'the file name is not valid UTF-8; rename the file' })

  check(
    'two outputs that differ in letter case only are one: the storage may be shared to systems that see none',
    async (world) => {
      await world.store.addSources([source('a', { output_paths: ['/out/film.mp4'] })])
      await world.store.addSources([source('b', { output_paths: ['/out/Film.mp4', '/out/Film.mkv.mp4'] })])
      expect((await world.job('b')).output_path).toBe('/out/Film.mkv.mp4')
    },
  )

  check('a source whose every output is taken becomes a failed job that says so', async (world) => {
    await world.store.addSources([source('a', { output_paths: ['/out/x.mp4'] })])
    await world.store.addSources([source('b', { output_paths: ['/out/x.mp4'] })])
    expect(await world.job('b')).toMatchObject({ status: 'failed', error_message: expect.stringContaining('taken') })
  })

  check(
    'a job that has no result yet follows when its output is to be another; one that has keeps it',
    async (world) => {
      await world.add('done')
      await world.store.complete(keyOf(await world.claim()), result)
      await world.add('waiting')
      await world.store.addSources([elsewhere('waiting'), elsewhere('done')])
      expect((await world.job('waiting')).output_path).toBe('/elsewhere/waiting.mkv')
      expect((await world.job('done')).output_path).toBe('/out/done.mp4')
    },
  )

  check('what only a scan had refused is queued once a scan finds nothing against it', async (world) => {
    await world.store.addSources([source('a', { problem: 'its result would lie among the sources' })])
    expect(await world.store.addSources([source('a')])).toEqual({ ...nothing, changed: 1 })
    expect(await world.job('a')).toMatchObject({ status: 'pending', error_message: null })
  })

  check('a source that can never be converted becomes a failed job with the reason', async (world) => {
    expect(await world.store.addSources([hopeless])).toEqual({ ...nothing, added: 1 })
    expect(await world.job('a')).toMatchObject({
      status: 'failed',
      error_message: hopeless.problem,
      error_class: 'permanent',
      retry_at_ms: null,
      attempt: 0,
    })
    world.advance(1e9)
    expect(await world.store.retryDue()).toBe(0)
    expect(await world.store.addSources([hopeless])).toEqual({ ...nothing, unchanged: 1 })
  })

  check('a source that can be converted since it changed is queued', async (world) => {
    await world.store.addSources([hopeless])
    expect(await world.store.addSources([changedSource('a')])).toEqual({ ...nothing, changed: 1 })
    expect(await world.job('a')).toMatchObject({ status: 'pending', error_message: null, error_class: null })
  })

  check('a source that changed into one that can never be converted is failed, not queued', async (world) => {
    await world.add('a')
    await world.store.complete(keyOf(await world.claim()), result)
    await world.store.addSources([changedSource('a', { problem: hopeless.problem })])
    expect(await world.job('a')).toMatchObject({ status: 'failed', error_message: hopeless.problem })
  })
}

function fingerprintCases(check: Check): void {
  for (const state of settledStates) {
    check(`a forgotten source whose job is ${state} is queued by the next scan that finds it`, async (world) => {
      await world.add('a')
      await bringTo(world, 'a', state)
      await world.store.forgetSource(idOf('a'))
      expect(await world.store.addSources([source('a')])).toEqual({ ...nothing, changed: 1 })
      expect(await world.store.addSources([source('a')])).toEqual({ ...nothing, unchanged: 1 })
      expect((await world.job('a')).status).toBe('pending')
    })
  }

  check('forgetting a source leaves the state of its job alone', async (world) => {
    await world.add('a')
    await world.store.fail(keyOf(await world.claim()), failure())
    await world.store.forgetSource(idOf('a'))
    expect(await world.job('a')).toMatchObject({ status: 'failed', error_message: 'the encoder stopped' })
  })

  check('a source that was looked at again since counts as unchanged for the scan', async (world) => {
    await world.add('a')
    const { source_size, source_mtime_ms } = changedSource('a')
    await world.store.updateSource(idOf('a'), { source_size, source_mtime_ms })
    expect(await world.job('a')).toMatchObject({ status: 'pending', source_size, source_mtime_ms })
    expect(await world.store.addSources([changedSource('a')])).toEqual({ ...nothing, unchanged: 1 })
  })
}

function outputsOf(world: World, ...names: string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await world.job(name)).output_path))
}

function elsewhere(name: string) {
  return source(name, { output_paths: [`/elsewhere/${name}.mkv`] })
}
