import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, statfsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { CacheRoom } from '../../../src/worker/transfer/cached-source.ts'
import { SourceCache } from '../../../src/worker/transfer/source-cache.ts'
import { temporaryFolder } from '../../support/program.ts'
import { reason } from '../../support/reason.ts'
import { lacksMounts, mountTinyDisk } from '../../support/tiny-disk.ts'

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

describe('room for a source that is not known yet', () => {
  test('is all that is left, for one at a time; what the job does not need is the next one’s', async () => {
    const { cache } = openCache()
    const first = await offered(cache)
    expect(first.limits).toEqual({ max_source_bytes: 1000, cache_bytes: 1000, is_cache_free: true })
    const order: string[] = []
    const second = offered(cache).then((room) => {
      order.push('second')
      return room
    })
    await Promise.resolve()
    order.push('taken')
    first.take(400)
    expect((await second).limits).toEqual({ max_source_bytes: 600, cache_bytes: 1000, is_cache_free: false })
    expect(order).toEqual(['taken', 'second'])
    ;(await second).release()
    expect((await offered(cache)).limits.max_source_bytes).toBe(600)
  })

  test('is waited for while others have all of it, until the signal', async () => {
    const { cache, put } = openCache()
    const used = await put('a', 1000)
    const stopping = new AbortController()
    const stopped = cache.offer(stopping.signal)
    const waiting = offered(cache)
    stopping.abort(new Error('stop'))
    expect(await reason(stopped)).toContain('stop')
    used.release()
    expect((await waiting).limits.is_cache_free).toBe(true)
  })

  test('is waited for where more than is left is owed to a larger one, unless even the whole cache is too small', async () => {
    const { cache, put } = openCache()
    const used = await put('a', 300)
    const owed = cache.offer(never, 800)
    expect(await settled(owed)).toBe(false)
    used.release()
    expect((await owed)?.limits.max_source_bytes).toBe(1000)
    ;(await owed)?.take(600)
    expect((await cache.offer(never, 1001))?.limits.max_source_bytes).toBe(400)
  })

  test('tells when there is more, and is the same room when it is wider', async () => {
    const { cache, put } = openCache()
    const used = [await put('a', 500), await put('b', 200)]
    const room = await offered(cache)
    expect([room.limits.max_source_bytes, room.more.aborted]).toEqual([300, false])
    used[0]?.release()
    expect(room.more.aborted).toBe(true)
    await room.widen()
    expect([room.limits.max_source_bytes, room.more.aborted]).toEqual([800, false])
    used[1]?.release()
    await room.widen()
    expect(room.limits).toMatchObject({ max_source_bytes: 1000, is_cache_free: true })
  })

  test('becomes the place of the job’s source at once, whatever waits for room', async () => {
    const { cache, put } = openCache()
    const used = await put('a', 300)
    const room = await offered(cache)
    room.take(400)
    const larger = cache.hold(wanted('larger', 900), never)
    const held = await cache.hold({ ...wanted('b', 400), room }, never)
    used.release()
    expect(await settled(larger)).toBe(false)
    held.release()
    expect((await larger).is_whole).toBe(false)
  })

  test('that is less than the source needs after all is given up: two who wait for more do not wait for each other', async () => {
    const { cache } = openCache()
    const first = await offered(cache)
    first.take(500)
    const second = await offered(cache)
    second.take(500)
    const holding = [
      cache.hold({ ...wanted('a', 800), room: first }, never),
      cache.hold({ ...wanted('b', 700), room: second }, never),
    ]
    const offer = offered(cache)
    await Promise.all(holding.map(async (one) => (await one).release()))
    expect((await offer).limits.max_source_bytes).toBe(1000)
  })

  test('is not what is in use; what is not goes when the room is taken, and not before', async () => {
    const { cache, put, names } = openCache()
    ;(await put('old', 300)).release()
    ;(await put('new', 300)).release()
    const used = await put('used', 400)
    const room = await offered(cache)
    expect(room.limits.max_source_bytes).toBe(600)
    expect(names()).toEqual(['new', 'old', 'used'])
    room.take(200)
    const held = await cache.hold({ ...wanted('b', 200), room }, never)
    expect(names()).toEqual(['new', 'used'])
    for (const one of [used, held]) one.release()
  })

  test('counts what a process that was killed has left as room', async () => {
    const { cache, folder, names } = openCache()
    writeFileSync(join(folder, 'half.part'), Buffer.alloc(700))
    const used = await cache.hold(wanted('a', 400), never)
    const room = await offered(cache)
    expect(room.limits.max_source_bytes).toBe(600)
    room.take(600)
    await cache.hold({ ...wanted('b', 600), room }, never)
    expect(names()).toEqual([])
    used.release()
  })

  test('is not bounded where nothing is', async () => {
    expect(await openCache(0).cache.offer(never)).toBeUndefined()
  })
})

describe.skipIf(lacksMounts('room in the cache on a full disk'))('on a small disk', () => {
  const least = 512 * 1024
  const piece = 256 * 1024

  function onTinyDisk() {
    const disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '4m')
    const folder = join(disk.path, 'sources')
    const cache = new SourceCache({ folder, max_cache: 0, min_free: least })
    const result_path = join(disk.path, 'result')
    return { disk, folder, cache, result_path, free: () => statfsSync(disk.path).bavail * statfsSync(disk.path).bsize }
  }

  test('room is what the disk has, less what is to stay free and what claimed jobs and their results may still write', async () => {
    const { disk, cache, result_path, free } = onTinyDisk()
    using _ = disk
    const size = 4 * piece
    const held = await cache.hold({ name: 'a', size, result_path }, never)
    const left = free() - least
    expect((await offered(cache, true)).limits.max_source_bytes).toBe(Math.floor((left - 2 * size) / 2))
    writeFileSync(held.part_path, Buffer.alloc(size))
    writeFileSync(result_path, Buffer.alloc(piece))
    // What is there has taken its room: the same is left.
    expect(Math.abs(Number((await offered(cache, true)).limits.max_source_bytes) - (left - 2 * size) / 2)).toBeLessThan(
      64 * 1024,
    )
    held.release()
  })

  test('what is not in use makes room on the disk, too; what is stays, and who does not fit beside it waits', async () => {
    const { disk, cache, folder, result_path, free } = onTinyDisk()
    using _ = disk
    const used = await cache.hold({ name: 'used', size: 4 * piece, result_path }, never)
    writeFileSync(used.part_path, Buffer.alloc(4 * piece))
    await used.keep()
    writeFileSync(join(folder, 'unused'), Buffer.alloc(6 * piece))
    const size = 11 * piece
    const waiting = cache.hold({ name: 'b', size, result_path: '' }, never)
    while (readdirSync(folder).includes('unused')) await setImmediate()
    expect(await settled(waiting)).toBe(false)
    expect(readdirSync(folder)).toEqual(['used'])
    used.release()
    const held = await waiting
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(held.part_path, Buffer.alloc(size))
    expect(free()).toBeGreaterThanOrEqual(least)
    held.release()
  })

  test('a source that is here already gets room for its result from what is not in use', async () => {
    const { disk, cache, folder, result_path, free } = onTinyDisk()
    using _ = disk
    mkdirSync(folder)
    writeFileSync(join(folder, 'unused'), Buffer.alloc(5 * piece))
    utimesSync(join(folder, 'unused'), 1, 1)
    writeFileSync(join(folder, 'a'), Buffer.alloc(6 * piece))
    const room = await offered(cache)
    room.take(6 * piece)
    const held = await cache.hold({ name: 'a', size: 6 * piece, result_path, room }, never)
    expect([held.is_whole, readdirSync(folder)]).toEqual([true, ['a']])
    expect(free() - least).toBeGreaterThanOrEqual(6 * piece)
    held.release()
  })

  test('beside nothing, what does not fit is refused with what it would take', async () => {
    const { disk, cache, result_path, free } = onTinyDisk()
    using _ = disk
    expect(await reason(cache.hold({ name: 'a', size: 16 * piece, result_path }, never))).toContain('storage.min_free')
    expect((await offered(cache, true)).limits).toMatchObject({ max_source_bytes: free() - least, is_cache_free: true })
  })
})

/** Room that is bounded; given back at once where only its size is of interest. */
async function offered(cache: SourceCache, isGivenBack = false): Promise<CacheRoom> {
  const room = await cache.offer(never)
  if (!room) throw new Error('nothing bounds it')
  if (isGivenBack) room.release()
  return room
}

/** Whether it has come to an end when all that is under way here had its turn. */
async function settled(what: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  void what.then(() => (isSettled = true))
  for (let turns = 0; turns < 200; turns++) await setImmediate()
  return isSettled
}
