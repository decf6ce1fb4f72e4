import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { SourceCache } from '../../../src/worker/transfer/source-cache.ts'
import { temporaryFolder } from '../../support/program.ts'

const max_cache = 1000
const never = new AbortController().signal

/** A job as a master could hand it out, and what its source turns out to be. */
interface Given {
  name: string
  /** As it was scanned; null where no scan has seen it. */
  known: number | null
  size: number
  /** Whether its worker finds it on a mount after all. */
  isMounted: boolean
  /** Turns for which it is in use. */
  turns: number
  hasOffer: boolean
  /** Whether it is asked for again with what is left later. */
  isAskedTwice: boolean
}

const aSize = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 1100 }))
const aJob: fc.Arbitrary<Given> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    known: fc.option(aSize, { freq: 6 }),
    grown: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -50, max: 600 }) },
    ),
    isMounted: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    turns: fc.integer({ min: 0, max: 10 }),
    isAskedTwice: fc.boolean(),
    hasOffer: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  })
  .map(({ grown, name, ...job }) => {
    const size = Math.max(1, (job.known ?? 300) + grown)
    // As in the cache: another size is another source.
    return { ...job, size, name: `${name}.${size}` }
  })

test('however slots ask, claim, hold and let go, all come to an end, the bound is kept and nothing in use is touched', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(aJob, { maxLength: 8, size: 'max' }), { minLength: 2, maxLength: 6, size: 'max' }),
      async (slots) => {
        const folder = temporaryFolder()
        const cache = new SourceCache({ folder, max_cache, min_free: 0 })
        const used: Used = new Map()
        await Promise.all(slots.map((jobs, slot) => runSlot(cache, folder, naming(jobs, slot), used)))
        const room = await cache.offer(never)
        expect(room?.limits).toEqual({ max_source_bytes: max_cache, cache_bytes: max_cache, is_cache_free: true })
      },
    ),
    { numRuns: 150 },
  )
}, 60_000)

/** A job is claimed by one slot at a time, which may meet its source again. */
function naming(jobs: readonly Given[], slot: number): Given[] {
  return jobs.map((job) => ({ ...job, name: `${slot}.${job.name}` }))
}

/** What is in use, by its name. */
type Used = Map<string, number>

async function runSlot(cache: SourceCache, folder: string, jobs: readonly Given[], used: Used) {
  for (const { name, known, size, isMounted, turns, hasOffer, isAskedTwice } of jobs) {
    const room = hasOffer ? await cache.offer(never) : undefined
    if (isAskedTwice) await room?.widen()
    const hasNone = room && !room.limits.is_cache_free && (known ?? 0) > Number(room.limits.max_source_bytes)
    if (!hasNone) room?.take(known)
    if (hasNone || isMounted) {
      room?.release()
      continue
    }
    const held = await cache.hold({ name, size, result_path: join(folder, 'none'), room }, never).catch(String)
    if (typeof held === 'string') {
      expect(held).toContain('does not fit')
      expect(size).toBeGreaterThan(max_cache)
      continue
    }
    used.set(name, size)
    expect([...used.values()].reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(max_cache)
    const path = held.is_whole ? held.path : held.part_path
    if (!held.is_whole) writeFileSync(path, Buffer.alloc(size))
    for (let turn = 0; turn < turns; turn++) {
      await setImmediate()
      expect(statSync(path).size).toBe(size)
    }
    if (!held.is_whole) await held.keep()
    used.delete(name)
    held.release()
    room?.release()
  }
}
