import { expect } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import type { NewReplacement } from '../../../src/queue/replacements.ts'
import { changedSource, type Check, failure, keyOf, result, source, there, type World } from './world.ts'

const day = 86_400_000

/** What is about to be moved for a claim, by which `/in/a.mkv` becomes `/in/a.mp4`. */
function replacementOf(job: Job, changes: Partial<NewReplacement> = {}): NewReplacement {
  return {
    job_id: job.id,
    attempt: job.attempt,
    original_path: job.source_path,
    original_size: 1000,
    original_mtime_ms: 1_700_000_000_000,
    kept_path: `/in/.darkstream/originals/${job.id}.${job.attempt}/a.mkv`,
    staged_path: `/in/.darkstream/work/${job.id}.${job.attempt}/result.mp4`,
    result_path: '/in/a.mp4',
    result_size: 400,
    result_mtime_ms: 1_700_000_000_000,
    keep_ms: 7 * day,
    ...changes,
  }
}

/** Takes the next pending job to a result that stands in its source's place. */
export async function replaced({ store, claim }: World, changes: Partial<NewReplacement> = {}): Promise<Job> {
  const job = await claim()
  await store.beginPublish(keyOf(job), result)
  there(await store.beginReplacement(keyOf(job), replacementOf(job, changes)))
  return there(await store.complete(keyOf(job), result))
}

/** The journal of results that take their sources' places. */
export function replacementCases(check: Check): void {
  check('a replacement is noted for a claim in publication alone, and once', async (world) => {
    await world.add('a')
    const job = await world.claim()
    const noted = replacementOf(job)
    expect(await world.store.beginReplacement(keyOf(job), noted)).toBeUndefined()
    await world.store.beginPublish(keyOf(job), result)
    expect(await world.store.beginReplacement({ ...keyOf(job), worker_id: 'bob' }, noted)).toBeUndefined()
    const { keep_ms: _, ...told } = noted
    const row = { ...told, state: 'swapping', replaced_at_ms: null, kept_until_ms: null } as const
    expect(await world.store.beginReplacement(keyOf(job), noted)).toEqual(row)
    expect(await world.store.beginReplacement(keyOf(job), { ...noted, kept_path: '/elsewhere' })).toEqual(row)
    await world.reopen()
    expect(await world.store.replacement(job.id)).toEqual(row)
  })

  check(
    'a completion keeps the original for its time, an abandoned publication forgets the replacement',
    async (world) => {
      await world.add('a')
      const first = await world.claim()
      await world.store.beginPublish(keyOf(first), result)
      await world.store.beginReplacement(keyOf(first), replacementOf(first))
      await world.store.abandonPublish(keyOf(first))
      expect(await world.store.replacement(first.id)).toBeUndefined()
      await world.store.fail(keyOf(first), failure())
      await world.store.retry(first.id)
      await replaced(world)
      expect(await world.store.replacement(first.id)).toMatchObject({
        attempt: 2,
        state: 'kept',
        replaced_at_ms: world.now_ms,
        kept_until_ms: world.now_ms + 7 * day,
      })
      expect(await world.store.totals()).toMatchObject({ kept_original_bytes: 1000 })
    },
  )

  check('an original that is kept for ever is never due', async (world) => {
    await world.add('a')
    const job = await replaced(world, { keep_ms: 0 })
    expect(await world.store.replacement(job.id)).toMatchObject({ state: 'kept', kept_until_ms: null })
    world.advance(36_500 * day)
    expect(await due(world)).toEqual([])
  })

  check(
    'originals are due at the end of their time, and then once; a longer time holds for those kept already',
    async (world) => {
      await world.add('a')
      const job = await replaced(world)
      world.advance(7 * day - 1)
      expect(await due(world)).toEqual([])
      world.advance(1)
      expect(await due(world)).toEqual([job.id])
      expect(await due(world, 8 * day)).toEqual([])
      expect(await world.store.forgetOriginal(attemptOf(job))).toBe(true)
      expect(await world.store.forgetOriginal(attemptOf(job))).toBe(false)
      expect(await due(world)).toEqual([])
      expect(await world.store.totals()).toMatchObject({ kept_original_bytes: 0 })
    },
  )

  check('a result is no source, wherever it lies, until it is another file', async (world) => {
    await world.add('a')
    await replaced(world)
    const asSource = { source_size: 400, source_mtime_ms: 1_700_000_000_000 }
    for (const path of ['/in/a.mp4', '/in/moved/b.mp4']) {
      const found = source('result', { source_path: path, ...asSource })
      expect(await world.store.addSources([found])).toMatchObject({ added: 0, unchanged: 1 })
    }
    const edited = source('result', { source_path: '/in/a.mp4', ...asSource, source_size: 401 })
    expect(await world.store.addSources([edited])).toMatchObject({ added: 1 })
  })

  check(
    'a result under its source’s own name leaves its job alone; another file there is a changed source',
    async (world) => {
      await world.store.addSources([own()])
      await replaced(world, { result_path: '/in/a.mp4', original_path: '/in/a.mp4', original_size: 1000 })
      const found = { source_size: 400, source_mtime_ms: 1_700_000_000_000 }
      expect(await world.store.addSources([own(found)])).toMatchObject({ unchanged: 1 })
      expect((await world.job('a')).status).toBe('completed')
      expect(await world.store.addSources([own({ ...found, source_size: 500 })])).toMatchObject({ changed: 1 })
    },
  )

  check(
    'a source has the right to its own name before any other, and no result gets the name of a source',
    async (world) => {
      await world.store.addSources([
        source('b', { output_paths: ['/in/a.mp4', '/in/b.mkv.mp4'] }),
        own(),
        source('c', { output_paths: ['/in/a.mp4', '/in/c.mkv.mp4'] }),
      ])
      expect((await world.job('a')).output_path).toBe('/in/a.mp4')
      expect((await world.job('c')).output_path).toBe('/in/c.mkv.mp4')
    },
  )

  check('a claim’s output can be placed anew, at the first place that no other job has', async (world) => {
    await world.add('a', 'b')
    const key = keyOf(await world.claim())
    const places = ['/out/b.mp4', '/in/a.mp4']
    expect(await world.store.placeOutput({ ...key, attempt: 7 }, places)).toBeUndefined()
    expect(await world.store.placeOutput(key, ['/out/b.mp4'])).toBeUndefined()
    expect(await world.store.placeOutput(key, places)).toMatchObject({ output_path: '/in/a.mp4', status: 'processing' })
  })

  check('a job whose result stands in its source’s place is not requeued, one that was undone is', async (world) => {
    await world.add('a')
    const job = await replaced(world)
    expect(await world.store.requeue(job.id)).toBeUndefined()
    await world.store.endUndo(there(await world.store.beginUndo(job.id)), 'back')
    expect(await world.store.requeue(job.id)).toMatchObject({ status: 'pending' })
    const again = await replaced(world)
    world.advance(7 * day)
    await world.store.forgetOriginal(attemptOf(again))
    expect(await world.store.requeue(job.id)).toBeUndefined()
  })

  check('an undo skips the job with its reason, and scans leave it alone until its source changes', async (world) => {
    await world.add('a')
    const job = await replaced(world)
    const begun = there(await world.store.beginUndo(job.id))
    expect(begun).toMatchObject({ attempt: 1, state: 'undoing' })
    expect(await world.store.beginUndo(job.id)).toBeUndefined()
    expect(await world.store.totals()).toMatchObject({ kept_original_bytes: 1000 })
    await world.reopen()
    expect(await world.store.undoing()).toEqual([begun])
    const skipped = { status: 'skipped', skip_reason: 'the original is back', output_size: null, completed_at: null }
    expect(await world.store.endUndo(begun, 'the original is back')).toMatchObject(skipped)
    expect(await world.store.endUndo(begun, 'twice')).toBeUndefined()
    expect(await world.store.undoing()).toEqual([])
    expect(await world.store.totals()).toMatchObject({ kept_original_bytes: 0 })
    expect(await world.store.publication(job.id)).toMatchObject({ published_size: null })
    await world.add('a')
    expect(await world.job('a')).toMatchObject(skipped)
    await world.store.addSources([changedSource('a')])
    expect((await world.job('a')).status).toBe('pending')
  })

  check(
    'an undo that was abandoned leaves the original kept; one of a source that changed is refused',
    async (world) => {
      await world.add('a')
      const job = await replaced(world)
      await world.store.abandonUndo(there(await world.store.beginUndo(job.id)))
      expect(await world.store.replacement(job.id)).toMatchObject({ state: 'kept' })
      await world.store.addSources([changedSource('a')])
      expect(await world.store.beginUndo(job.id)).toBeUndefined()
      expect(await world.store.replacement(job.id)).toMatchObject({ state: 'kept' })
      expect(await world.store.beginUndo('no such job')).toBeUndefined()
    },
  )
}

function attemptOf({ id, attempt }: Job) {
  return { job_id: id, attempt }
}

async function due({ store, now_ms }: World, keep_ms = 0): Promise<string[]> {
  const found = await store.dueOriginals({ now_ms, replaced_before_ms: now_ms - keep_ms, limit: 10 })
  return found.map(({ job_id }) => job_id)
}

/** A source whose result has its very name. */
function own(changes = {}) {
  return source('a', { source_path: '/in/a.mp4', output_paths: ['/in/a.mp4'], ...changes })
}
