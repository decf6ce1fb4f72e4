import { expect, test } from 'bun:test'
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { claimNext, filesOf, handIn, replaceFilm, scan } from './films.ts'

const replace = {}
const original = { 'film.mkv': 'the original' }
const replaced = { 'originals/film.mkv': 'the original', 'film.mp4': 'result' }

const refusal = (master: TestMaster, job_id: string) =>
  master.api.undoJob({ job_id }).then(
    () => undefined,
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  )

test('undo brings the original back and removes the result; the job is skipped and stays so', async () => {
  for (const name of ['film.mkv', 'film.mp4']) {
    const master = openMaster({ replace })
    const id = await replaceFilm(master, name)
    const before = statSync(join(master.root_path, 'film.mp4')).mtimeMs
    expect(await master.remote.undoJob({ job_id: id })).toEqual({
      status: 'skipped',
      message: `job ${id} is skipped: the original is back at ${join(master.root_path, name)}`,
    })
    expect(filesOf(master.root_path)).toEqual({ [name]: 'the original' })
    expect(Math.floor(statSync(join(master.root_path, name)).mtimeMs)).toBe(Math.floor(before))
    const { job, replacement } = await master.api.job({ job_id: id })
    expect(job).toMatchObject({ status: 'skipped', skip_reason: 'undone by request: the original is back' })
    expect(replacement).toMatchObject({ state: 'undone' })
    expect(await scan(master, name, [job.output_path])).toMatchObject({ unchanged: 1 })
    expect(await master.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: 'r' })).toBeNull()
    expect(master.events.at(-1)).toMatchObject({ type: 'skipped', job: { id } })
  }
})

test('asked twice, at once or again, undo acts once and answers twice', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  const [one, other] = await Promise.all([master.api.undoJob({ job_id }), master.api.undoJob({ job_id })])
  expect(one).toEqual(other)
  expect(await master.api.undoJob({ job_id })).toEqual(one)
  expect(master.events.filter(({ type }) => type === 'skipped')).toHaveLength(1)
  expect(filesOf(master.root_path)).toEqual(original)
})

test('an undone job is converted and replaced anew when it is requeued', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  await master.api.undoJob({ job_id })
  await master.api.requeueJob({ job_id })
  await handIn(master, await claimNext(master, 'film.mkv'), 'second result')
  expect(filesOf(master.root_path)).toEqual({ ...replaced, 'film.mp4': 'second result' })
  await master.api.undoJob({ job_id })
  expect(filesOf(master.root_path)).toEqual(original)
})

test('a replaced job is not requeued; the refusal names undo, or once the original is gone what to do instead', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  const message = await master.api.requeueJob({ job_id }).catch((error: Error) => error.message)
  expect(message).toContain(`darkstream undo ${job_id}`)
  await master.store.forgetOriginal({ job_id, attempt: 1 })
  const later = await master.api.requeueJob({ job_id }).catch((error: Error) => error.message)
  expect(later).toContain('touch')
  expect(filesOf(master.root_path)).toEqual(replaced)
})

test('a result that somebody changed is not removed; moved away, it is in nobody’s way', async () => {
  for (const name of ['film.mkv', 'film.mp4']) {
    const master = openMaster({ replace })
    const job_id = await replaceFilm(master, name)
    writeFileSync(join(master.root_path, 'film.mp4'), 'edited by hand')
    expect(await refusal(master, job_id)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('move it'),
    })
    expect(filesOf(master.root_path)).toEqual({ [`originals/${name}`]: 'the original', 'film.mp4': 'edited by hand' })
    renameSync(join(master.root_path, 'film.mp4'), join(master.root_path, 'edited.mp4'))
    expect(await master.api.undoJob({ job_id })).toMatchObject({ status: 'skipped' })
    expect(filesOf(master.root_path)).toEqual({ [name]: 'the original', 'edited.mp4': 'edited by hand' })
  }
})

test('another file at the original’s path is not replaced', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  writeFileSync(join(master.root_path, 'film.mkv'), 'a new one')
  expect(await refusal(master, job_id)).toMatchObject({ code: 'conflict' })
  expect(filesOf(master.root_path)).toEqual({ ...replaced, 'film.mkv': 'a new one' })
})

test('an original whose folder somebody removed comes back with its folder', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master, 'sub/film.mkv')
  rmSync(join(master.root_path, 'sub'), { recursive: true })
  await master.api.undoJob({ job_id })
  expect(filesOf(master.root_path)).toEqual({ 'sub/film.mkv': 'the original' })
})

test('an original that somebody removed is told to be gone, and the result stays', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  rmSync(join(master.root_path, '.darkstream'), { recursive: true })
  expect(await refusal(master, job_id)).toMatchObject({ message: expect.stringContaining('gone') })
  expect(await refusal(master, job_id)).toMatchObject({ message: expect.stringContaining('gone') })
  expect(filesOf(master.root_path)).toEqual({ 'film.mp4': 'result' })
  expect((await master.api.stats({})).bytes.kept_originals).toBe(0)
})

test('while the storage is not mounted nothing is undone and nothing is thought to be gone', async () => {
  const master = openMaster({ replace })
  const job_id = await replaceFilm(master)
  const away = `${master.root_path} unmounted`
  renameSync(master.root_path, away)
  mkdirSync(master.root_path)
  expect(await refusal(master, job_id)).toMatchObject({ message: expect.stringContaining('mounted') })
  expect(filesOf(master.root_path)).toEqual({})
  rmSync(master.root_path, { recursive: true })
  renameSync(away, master.root_path)
  expect(await master.api.undoJob({ job_id })).toMatchObject({ status: 'skipped' })
})

test('undo works still when replace mode is off', async () => {
  const first = openMaster({ replace })
  const job_id = await replaceFilm(first)
  await first.coordinator.stop()
  await first.store.close()
  const master = openMaster({ base: dirname(first.root_path) })
  expect(await master.api.undoJob({ job_id })).toMatchObject({ status: 'skipped' })
  expect(filesOf(master.root_path)).toEqual(original)
})

test('what replaced nothing cannot be undone', async () => {
  const master = openMaster({ replace })
  const job_id = await master.addSource('film.mkv')
  expect(await refusal(master, job_id)).toMatchObject({ code: 'conflict' })
  expect(await refusal(master, 'no such job')).toMatchObject({ code: 'not_found' })
})
