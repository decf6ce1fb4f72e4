import { expect, test } from 'bun:test'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SourceCache } from '../../../src/worker/transfer/source-cache.ts'
import { temporaryFolder } from '../../support/program.ts'
import { reason } from '../../support/reason.ts'

const never = new AbortController().signal

/** A source without room of its own. */
function wanted(name: string, size: number) {
  return { name, size, result_path: '/nonexistent/result' }
}

/** A cache for a thousand bytes, and how a source gets into it. */
function openCache(max_cache = 1000) {
  const folder = temporaryFolder()
  const cache = new SourceCache({ folder, max_cache, min_free: 0 })
  let seconds = 1000
  const put = async (name: string, size: number) => {
    const held = await cache.hold(wanted(name, size), never)
    writeFileSync(held.part_path, Buffer.alloc(size))
    await held.keep()
    // In the order in which they were used, whatever the clock's steps are.
    utimesSync(held.path, seconds, seconds++)
    return held
  }
  return { folder, cache, put, names: () => readdirSync(folder).toSorted() }
}

test('the longest unused go first, and only as many as must', async () => {
  const { put, names, cache } = openCache()
  for (const name of ['a', 'b', 'c']) (await put(name, 300)).release()
  const again = await cache.hold(wanted('a', 300), never)
  expect(again.is_whole).toBe(true)
  again.release()
  ;(await put('d', 300)).release()
  expect(names()).toEqual(['a', 'c', 'd'])
})

test('what is in use is not touched: who needs its room waits until it is let go', async () => {
  const { cache, put, names } = openCache()
  const used = await put('a', 600)
  const other = cache.hold(wanted('b', 600), never)
  const third = cache.hold(wanted('c', 100), never)
  expect(names()).toEqual(['a'])
  used.release()
  expect((await other).is_whole).toBe(false)
  expect(names()).toEqual([])
  expect((await third).is_whole).toBe(false)
})

test('what is larger than all of it is refused, and one that waits ends with the signal', async () => {
  const { cache, put } = openCache()
  expect(await reason(cache.hold(wanted('a', 1001), never))).toContain('does not fit')
  await put('b', 900)
  const stopping = new AbortController()
  const waiting = cache.hold(wanted('c', 200), stopping.signal)
  stopping.abort(new Error('stop'))
  expect(await reason(waiting)).toContain('stop')
})

test('half a source counts, is gone on with, and is removed like others when it is not in use', async () => {
  const { cache, folder, names, put } = openCache()
  writeFileSync(join(folder, 'a.part'), Buffer.alloc(500))
  const held = await cache.hold(wanted('a', 800), never)
  expect([held.is_whole, names()]).toEqual([false, ['a.part']])
  held.release()
  ;(await put('b', 900)).release()
  expect(names()).toEqual(['b'])
})

test('without a limit nothing goes', async () => {
  const { put, names } = openCache(0)
  for (const name of ['a', 'b', 'c']) (await put(name, 1000)).release()
  expect(names()).toHaveLength(3)
})
