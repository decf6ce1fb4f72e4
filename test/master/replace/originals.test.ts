import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemMoves } from '../../../src/master/moves.ts'
import { clockTrust, sweepOriginals } from '../../../src/master/replace/originals.ts'
import { createLog } from '../../../src/util/log.ts'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { eventually } from '../../support/program.ts'
import { filesOf, replaceFilm } from './films.ts'

const hour = 3_600_000
const day = 24 * hour
const replaced = { 'originals/film.mkv': 'the original', 'film.mp4': 'result' }

const sweep = ({ store, clock }: TestMaster, keep_originals_ms = 7 * day) =>
  sweepOriginals({
    store,
    clock: () => clock.now,
    log: createLog({ level: 'error', format: 'text', output_path: null }),
    replace: { enabled: true, keep_originals_ms, hard_links: 'skip', moves: systemMoves },
  })

async function stateOf(master: TestMaster, job_id: string): Promise<string | undefined> {
  return (await master.api.job({ job_id })).replacement?.state
}

test('an original is removed when its time is over and not before; the result stays', async () => {
  const master = openMaster({ replace: {} })
  const id = await replaceFilm(master)
  master.clock.now += 7 * day - 1
  await sweep(master)
  expect(filesOf(master.root_path)).toEqual(replaced)
  master.clock.now += 1
  await sweep(master, 8 * day)
  expect(filesOf(master.root_path)).toEqual(replaced)
  await sweep(master, 0)
  expect(filesOf(master.root_path)).toEqual(replaced)
  await sweep(master)
  expect(filesOf(master.root_path)).toEqual({ 'film.mp4': 'result' })
  expect(await stateOf(master, id)).toBe('gone')
  expect(await master.api.undoJob({ job_id: id }).catch((error: Error) => error.message)).toContain('is gone')
})

test('a running master does so by itself', async () => {
  const first = openMaster({ replace: {} })
  await replaceFilm(first)
  await first.coordinator.stop()
  await first.store.close()
  const master = openMaster({ base: dirname(first.root_path) })
  master.clock.now += 8 * day
  await master.coordinator.start()
  await eventually(async () => Object.keys(filesOf(master.root_path)).length === 1)
  expect(filesOf(master.root_path)).toEqual({ 'film.mp4': 'result' })
})

test('an original that is kept for ever stays, whatever is set later', async () => {
  const master = openMaster({ replace: { keep_originals_ms: 0 } })
  await replaceFilm(master)
  master.clock.now += 10_000 * day
  await sweep(master)
  expect(filesOf(master.root_path)).toEqual(replaced)
})

test('only what the journal names is removed: not what else lies there, nor a file that is not the original', async () => {
  const master = openMaster({ replace: {} })
  await replaceFilm(master, 'a.mkv')
  const id = await replaceFilm(master, 'b.mkv')
  const { replacement } = await master.api.job({ job_id: id })
  const unknown = join(master.root_path, '.darkstream', 'originals', 'unknown.1', 'c.mkv')
  mkdirSync(join(unknown, '..'))
  writeFileSync(unknown, 'of another queue')
  writeFileSync(replacement?.kept_path ?? '', 'put here by somebody')
  master.clock.now += 7 * day
  await sweep(master)
  expect(filesOf(master.root_path)).toEqual({
    'a.mp4': 'result',
    'b.mp4': 'result',
    'originals/b.mkv': 'put here by somebody',
    'originals/c.mkv': 'of another queue',
  })
  expect(await stateOf(master, id)).toBe('gone')
})

test('while the storage is not mounted nothing is thought to be gone', async () => {
  const master = openMaster({ replace: {} })
  const id = await replaceFilm(master)
  master.clock.now += 7 * day
  const away = `${master.root_path} unmounted`
  renameSync(master.root_path, away)
  for (const prepare of [() => {}, () => mkdirSync(master.root_path)]) {
    prepare()
    await sweep(master)
    expect(await stateOf(master, id)).toBe('kept')
  }
  rmSync(master.root_path, { recursive: true })
  renameSync(away, master.root_path)
  await sweep(master)
  expect(existsSync(join(master.root_path, '.darkstream', 'originals', `${id}.1`))).toBe(false)
  expect(await stateOf(master, id)).toBe('gone')
})

test('an original that somebody removed is forgotten when its time is over', async () => {
  const master = openMaster({ replace: {} })
  const id = await replaceFilm(master)
  rmSync(join(master.root_path, '.darkstream'), { recursive: true })
  master.clock.now += 7 * day
  await sweep(master)
  expect(await stateOf(master, id)).toBe('gone')
})

test('a clock that was set forward is not believed for a day of running time, one that goes on or back is', () => {
  const now = { clock: 0, steady: 0 }
  const pass = (ms: number, gained = 0) => {
    now.steady += ms
    now.clock += ms + gained
  }
  const jumps: number[] = []
  const isTrusted = clockTrust(() => now.clock, { steady_ms: () => now.steady, onJump: (gain) => jumps.push(gain) })
  expect(isTrusted()).toBe(true)
  pass(30 * day)
  expect(isTrusted()).toBe(true)
  pass(60_000, 7 * day)
  expect(isTrusted()).toBe(false)
  pass(60_000, -7 * day)
  expect(isTrusted()).toBe(false)
  pass(day)
  expect(isTrusted()).toBe(true)
  pass(60_000, -3 * day)
  expect(isTrusted()).toBe(true)
  expect(jumps).toEqual([7 * day])
})
