import { expect, test } from 'bun:test'
import { mkdir, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { playground } from './playground.ts'

test('nothing is known before the first scan', async () => {
  await using ground = await playground()
  expect(ground.scanner().report()).toEqual({
    running: false,
    last_completed_at: null,
    files_seen: 0,
    settling: 0,
    problems: [],
  })
})

test('a started scanner scans at once in the background and says when it is settled', async () => {
  await using ground = await playground()
  await ground.file('a.mp4', { mtime_ms: Date.UTC(2026, 0, 1) })
  const scanner = ground.scanner({ clock: () => Date.UTC(2026, 0, 2) })
  scanner.start()
  expect(scanner.report().running).toBe(true)
  await scanner.whenSettled()
  expect(ground.found()).toEqual(['a.mp4'])
  expect(scanner.report()).toMatchObject({ last_completed_at: '2026-01-02T00:00:00.000Z', files_seen: 1, settling: 0 })
})

test('scans asked for while one runs join it', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  const scanner = ground.scanner()
  await Promise.all([scanner.scan(), scanner.scan(), scanner.scan()])
  expect(ground.store.calls).toBe(1)
})

test('a scan is repeated at the interval and tells changed sources', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  const counts: number[] = []
  const scanner = ground.scanner({ scan_interval_ms: 5, on_added: (count) => counts.push(count) })
  scanner.start()
  await scanner.whenSettled()
  await ground.store.told('a.mp4')
  expect(counts).toEqual([1])
  await ground.file('b/new.mp4')
  await ground.store.told('b/new.mp4')
  await ground.file('a.mp4', { content: 'longer' })
  await ground.store.told('a.mp4')
  await ground.store.told('a.mp4')
  expect(counts).toEqual([1, 1, 1])
})

test('a young file is taken when it matures, without another whole scan', async () => {
  await using ground = await playground()
  const clock = { now: Date.now() }
  await ground.file('old.mp4')
  await ground.file('young.mp4', { mtime_ms: clock.now - 9_960 })
  const scanner = ground.scanner({ clock: () => clock.now })
  scanner.start()
  await ground.store.told('old.mp4')
  await scanner.scan()
  expect(ground.found()).toEqual(['old.mp4'])
  expect(scanner.report()).toMatchObject({ settling: 1, files_seen: 2 })
  clock.now += 40
  await scanner.whenSettled()
  expect(ground.found()).toEqual(['old.mp4', 'young.mp4'])
  expect(ground.store.calls).toBe(2)
})

test('a file that is still being written is waited for, also with a clock that is ahead', async () => {
  await using ground = await playground()
  const path = await ground.file('a.mp4', { mtime_ms: Date.now() + 3_600_000 })
  const scanner = ground.scanner({ settle_time_ms: 60 })
  scanner.start()
  await scanner.scan()
  expect(scanner.report().settling).toBe(1)
  await writeFile(path, 'more than before')
  await scanner.whenSettled()
  expect(ground.store.sources.get('a.mp4')?.source_size).toBe(16)
})

test('a young file that vanishes is forgotten', async () => {
  await using ground = await playground()
  const path = await ground.file('a.mp4', { mtime_ms: Date.now() })
  const scanner = ground.scanner({ settle_time_ms: 50 })
  scanner.start()
  await scanner.scan()
  await unlink(path)
  await scanner.whenSettled()
  expect(ground.found()).toEqual([])
  expect(scanner.report()).toMatchObject({ settling: 0, problems: [] })
})

test('the output of a young file does not depend on which of its siblings settles first', async () => {
  await using ground = await playground()
  await ground.file('a.mkv', { mtime_ms: Date.now() })
  await ground.file('a.mov')
  const scanner = ground.scanner({ settle_time_ms: 50 })
  scanner.start()
  await scanner.whenSettled()
  expect(ground.store.sources.get('a.mkv')?.output_paths[0]).toEndWith('/a.mp4')
  expect(ground.store.sources.get('a.mov')?.output_paths[0]).toEndWith('/a.mov.mp4')
})

test('a missing root is said loudly once, drops nothing, and is tried again soon', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  await rename(ground.root, `${ground.root}.away`)
  const scanner = ground.scanner()
  scanner.start()
  await scanner.scan()
  await scanner.scan()
  expect(scanner.report()).toMatchObject({
    last_completed_at: null,
    problems: [expect.stringContaining('does not exist')],
  })
  await rename(`${ground.root}.away`, ground.root)
  await scanner.whenSettled()
  expect(ground.found()).toEqual(['a.mp4'])
  expect(scanner.report().problems).toEqual([])
  expect(ground.lines.map((line) => line.split(' ')[1])).toEqual(['ERROR', 'INFO'])
})

test('a root that is a file is reported', async () => {
  await using ground = await playground()
  await rm(ground.root, { recursive: true })
  await writeFile(ground.root, 'x')
  const scanner = ground.scanner()
  await scanner.scan()
  expect(scanner.report().problems).toEqual([expect.stringContaining('it is not a folder')])
})

test('an empty root is reported and looked at again soon', async () => {
  await using ground = await playground()
  const scanner = ground.scanner()
  scanner.start()
  await scanner.whenSettled()
  expect(ground.lines).toEqual([expect.stringContaining('holds nothing; is its storage mounted?')])
  const told = ground.store.told('a.mp4')
  await ground.file('a.mp4')
  await told
  await scanner.scan()
  expect(scanner.report().problems).toEqual([])
})

test('a store that refuses ends the scan, and the loop tries again', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  let refusals = 2
  const { store } = ground
  const refusing = {
    async addSources(sources: Parameters<typeof store.addSources>[0]) {
      if (refusals-- > 0) throw new Error('database is locked')
      return store.addSources(sources)
    },
  }
  const scanner = ground.scanner({ store: refusing })
  expect(await scanner.scan().catch((error: unknown) => error)).toEqual(new Error('database is locked'))
  scanner.start()
  await scanner.whenSettled()
  expect(ground.found()).toEqual(['a.mp4'])
  expect(ground.lines).toEqual([expect.stringContaining('the scan ended early: database is locked')])
})

test('a stopped scanner ends its waits, adds nothing more and leaves no timer', async () => {
  await using ground = await playground()
  for (let index = 0; index < 1000; index++) await ground.file(`${index % 10}/${index}.mp4`)
  await ground.file('young.mp4', { mtime_ms: Date.now() })
  const scanner = ground.scanner({ watch: true, scan_interval_ms: 5 })
  scanner.start()
  const settled = scanner.whenSettled()
  await ground.store.told('0/0.mp4')
  await scanner.stop()
  await settled
  const { calls } = ground.store
  await scanner.scan()
  expect(ground.store.calls).toBe(calls)
  expect(calls).toBeLessThan(6)
})

test('a process ends by itself once its scanner is stopped', async () => {
  await using ground = await playground()
  await ground.file('young.mp4', { mtime_ms: Date.now() })
  await mkdir(join(ground.root, 'sub'))
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'stop-child.ts'), ground.root], {
    stderr: 'inherit',
  })
  expect(await child.exited).toBe(0)
})

test('whoever waits for quiet can give up', async () => {
  await using ground = await playground()
  await ground.file('young.mp4', { mtime_ms: Date.now() })
  const scanner = ground.scanner()
  const controller = new AbortController()
  const settled = scanner.whenSettled(controller.signal)
  controller.abort()
  await settled
  await scanner.whenSettled(controller.signal)
})
