import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { lacksMounts, mountTinyDisk } from '../../support/tiny-disk.ts'
import { claimFilm, claimNext, filesOf, handIn, replaceFilm, scan, textOf } from './films.ts'

const replace = {}

test('a result takes the place of its source under its new extension, and the original is kept aside', async () => {
  const master = openMaster({ replace })
  const id = await replaceFilm(master, 'sub/film.mkv')
  expect(filesOf(master.root_path)).toEqual({ 'originals/film.mkv': 'the original', 'sub/film.mp4': 'result' })
  const { job, replacement } = await master.api.job({ job_id: id })
  expect(job).toMatchObject({
    status: 'completed',
    output_path: join(master.root_path, 'sub/film.mp4'),
    output_size: 6,
  })
  expect(replacement).toMatchObject({ state: 'kept', kept_until_ms: master.clock.now + 7 * 86_400_000 })
  expect((await master.api.stats({})).bytes.kept_originals).toBe('the original'.length)
  expect(statSync(join(master.root_path, '.darkstream/originals')).mode & 0o777).toBe(0o700)
})

test('a source of the right extension keeps its very name, in its own letter case', async () => {
  for (const name of ['film.mp4', 'FILM.MP4']) {
    const master = openMaster({ replace })
    await replaceFilm(master, name)
    expect(filesOf(master.root_path)).toEqual({ [`originals/${name}`]: 'the original', [name]: 'result' })
  }
})

test('what a scan finds then is left alone, also after a restart and wherever it was moved', async () => {
  const first = openMaster({ replace })
  await replaceFilm(first, 'a.mkv')
  await replaceFilm(first, 'b.mp4')
  await first.coordinator.stop()
  await first.store.close()
  const master = openMaster({ replace, base: dirname(first.root_path) })
  await master.coordinator.start()
  renameSync(join(master.root_path, 'a.mp4'), join(master.root_path, 'renamed.mp4'))
  for (const name of ['renamed.mp4', 'b.mp4']) {
    expect(await scan(master, name, [join(master.root_path, name)])).toEqual({ added: 0, changed: 0, unchanged: 1 })
  }
  expect(await master.api.status({})).toMatchObject({ completed: 2, pending: 0 })
  writeFileSync(join(master.root_path, 'b.mp4'), 'a newer film')
  expect(await scan(master, 'b.mp4', [join(master.root_path, 'b.mp4')])).toMatchObject({ changed: 1 })
})

test('the result gets the rights and the time of its source', async () => {
  const master = openMaster({ replace })
  const job = await claimFilm(master)
  const source = job.source_path
  chmodSync(source, 0o4640)
  const before = statSync(source)
  expect(await handIn(master, job)).toEqual({ status: 'completed' })
  const after = statSync(job.output_path)
  expect({ mode: after.mode & 0o7777, uid: after.uid, gid: after.gid }).toEqual({
    mode: 0o640,
    uid: before.uid,
    gid: before.gid,
  })
  expect(Math.floor(after.mtimeMs)).toBe(Math.floor(before.mtimeMs))
})

test('two films of one folder that want one name get two', async () => {
  const master = openMaster({ replace })
  await master.addSource('film.avi', 'avi')
  await master.addSource('film.mkv', 'mkv')
  await handIn(master, await claimNext(master, 'film.avi'), 'from avi')
  await handIn(master, await claimNext(master, 'film.mkv'), 'from mkv')
  expect(filesOf(master.root_path)).toEqual({
    'originals/film.avi': 'avi',
    'originals/film.mkv': 'mkv',
    'film.mp4': 'from avi',
    'film.mkv.mp4': 'from mkv',
  })
})

test('a foreign file at the new name is never touched: found at the claim, another name is taken', async () => {
  const master = openMaster({ replace })
  await master.addSource('film.mkv')
  writeFileSync(join(master.root_path, 'film.mp4'), 'mine')
  const job = await claimNext(master, 'film.mkv')
  expect(job.output_path).toBe(join(master.root_path, 'film.mkv.mp4'))
  await handIn(master, job)
  expect(filesOf(master.root_path)).toMatchObject({ 'film.mp4': 'mine', 'film.mkv.mp4': 'result' })
})

test('a foreign file that appears at the new name during the encode is never touched, nor is the source', async () => {
  const master = openMaster({ replace })
  const job = await claimFilm(master)
  writeFileSync(job.output_path, 'mine')
  expect(await handIn(master, job)).toMatchObject({ status: 'failed' })
  expect(filesOf(master.root_path)).toEqual({ 'film.mkv': 'the original', 'film.mp4': 'mine' })
})

test('a source that was written to during the encode is queued again, and nothing is touched', async () => {
  const master = openMaster({ replace })
  const job = await claimFilm(master)
  writeFileSync(job.source_path, 'a longer original')
  expect(await handIn(master, job)).toMatchObject({ status: 'pending' })
  expect(filesOf(master.root_path)).toEqual({ 'film.mkv': 'a longer original' })
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({ status: 'pending', source_size: 17 })
})

test('a source that was taken away during the encode does not come back as its result', async () => {
  const master = openMaster({ replace })
  await master.addSource('other.mkv')
  const job = await claimNext(master, 'other.mkv')
  await master.addSource('film.mkv')
  rmSync(job.source_path)
  expect(await handIn(master, job)).toMatchObject({ status: 'failed' })
  expect(filesOf(master.root_path)).toEqual({ 'film.mkv': 'video' })
})

test('a result of another size than its worker said, of no bytes, or that is a link replaces nothing', async () => {
  const stages: [size: number, stage: (path: string) => void][] = [
    [7, (path) => writeFileSync(path, 'result')],
    [0, (path) => writeFileSync(path, '')],
    [6, (path) => symlinkSync('/etc/hostname', path)],
  ]
  for (const [output_size, stage] of stages) {
    const master = openMaster({ replace })
    const job = await claimFilm(master)
    mkdirSync(dirname(job.staging_path), { recursive: true })
    stage(job.staging_path)
    const claim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
    expect(await master.api.complete({ ...claim, output_size })).toMatchObject({ status: 'failed' })
    expect(filesOf(master.root_path)).toEqual({ 'film.mkv': 'the original' })
  }
})

test('foreign workers, which write to output paths themselves, get no jobs', async () => {
  const master = openMaster({ replace })
  await master.addSource('film.mkv')
  expect(await master.api.nextJob({ worker_id: 'foreign' })).toBeNull()
  expect(await master.api.status({})).toMatchObject({ pending: 1 })
})

test('a source with further names is skipped before any work; where that is wished its other names keep the original', async () => {
  const careful = openMaster({ replace })
  await careful.addSource('film.mkv', 'the original')
  linkSync(join(careful.root_path, 'film.mkv'), join(careful.root_path, 'seed.bin'))
  expect(await careful.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: 'r' })).toBeNull()
  const [job] = (await careful.api.jobs({})).jobs
  expect(job).toMatchObject({ status: 'skipped', skip_reason: expect.stringContaining('2 names (hard links)') })
  for (const name of ['film.mkv', 'film.mp4']) {
    const master = openMaster({ replace: { hard_links: 'replace' } })
    await master.addSource(name, 'the original')
    linkSync(join(master.root_path, name), join(master.root_path, 'seed.bin'))
    const job = await claimNext(master, name)
    await handIn(master, job)
    expect(filesOf(master.root_path)).toMatchObject({ 'film.mp4': 'result', 'seed.bin': 'the original' })
    await master.api.undoJob({ job_id: job.id })
    expect(filesOf(master.root_path)).toEqual({ [name]: 'the original', 'seed.bin': 'the original' })
    expect(statSync(join(master.root_path, name)).ino).toBe(statSync(join(master.root_path, 'seed.bin')).ino)
  }
})

test('what only a symbolic link leads to is skipped, by a link of its own or of its folder', async () => {
  const master = openMaster({ replace })
  const elsewhere = temporaryFolder()
  writeFileSync(join(elsewhere, 'film.mkv'), 'elsewhere')
  symlinkSync(join(elsewhere, 'film.mkv'), join(master.root_path, 'link.mkv'))
  symlinkSync(elsewhere, join(master.root_path, 'folder'))
  for (const name of ['link.mkv', 'folder/film.mkv']) {
    await scan(master, name, [join(master.root_path, name.replace('.mkv', '.mp4'))])
  }
  expect(await master.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: 'r' })).toBeNull()
  expect(await master.api.status({})).toMatchObject({ skipped: 2 })
  expect(lstatSync(join(master.root_path, 'link.mkv')).isSymbolicLink()).toBe(true)
})

const noMounts = lacksMounts('sources on another file system than the root')

test.skipIf(noMounts)('a source on another file system fails before any work, and is untouched', async () => {
  const master = openMaster({ replace })
  using _ = mountTinyDisk(join(master.root_path, 'disk'), '1m')
  await master.addSource('disk/film.mkv', 'the original')
  expect(await master.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: 'r' })).toBeNull()
  const [job] = (await master.api.jobs({})).jobs
  expect(job).toMatchObject({ status: 'failed', error_message: expect.stringContaining('another file system') })
  expect(filesOf(master.root_path)).toEqual({ 'disk/film.mkv': 'the original' })
})

test.skipIf(noMounts)(
  'a mount that only a rename can tell apart fails at the swap, and nothing is changed',
  async () => {
    for (const name of ['film.mkv', 'film.mp4']) {
      const master = openMaster({ replace })
      const folder = join(master.root_path, 'bound')
      for (const path of [folder, join(master.root_path, 'real')]) mkdirSync(path)
      expect(Bun.spawnSync(['mount', '--bind', join(master.root_path, 'real'), folder]).success).toBe(true)
      try {
        const job = await claimFilm(master, `bound/${name}`)
        const done = await handIn(master, job)
        expect(done).toMatchObject({ status: 'failed', message: expect.stringContaining('another file system') })
        expect(textOf(master, `bound/${name}`)).toBe('the original')
        expect(Object.keys(filesOf(folder))).toEqual([name])
      } finally {
        Bun.spawnSync(['umount', '-l', folder])
      }
    }
  },
)

test('names of 255 bytes and names in either Unicode form are replaced and brought back', async () => {
  const names = [`${'f'.repeat(251)}.mkv`, `${'é'.normalize('NFD')}.mkv`, `${'é'.normalize('NFC')}.mp4`]
  for (const name of names) {
    const master = openMaster({ replace })
    const id = await replaceFilm(master, name)
    expect(textOf(master, name)).toBe(name.endsWith('.mp4') ? 'result' : undefined)
    expect(await master.api.undoJob({ job_id: id })).toMatchObject({ status: 'skipped' })
    expect(filesOf(master.root_path)).toEqual({ [name]: 'the original' })
  }
})

test('a job that was added in the other mode gets its place at the claim, in either direction', async () => {
  const plain = openMaster()
  await plain.addSource('film.mkv')
  await plain.coordinator.stop()
  await plain.store.close()
  const base = dirname(plain.root_path)
  const master = openMaster({ base, replace })
  const job = await claimNext(master, 'film.mkv')
  expect(job.output_path).toBe(join(master.root_path, 'film.mp4'))
  await master.api.release({ job_id: job.id, worker_id: 'w', attempt: job.attempt })
  await master.coordinator.stop()
  await master.store.close()
  const again = openMaster({ base })
  expect((await claimNext(again, 'film.mkv')).output_path).toBe(join(again.output_base, 'film.mp4'))
})

test('a job of the original’s, whose source no scan has seen, is known by what it is at the claim', async () => {
  const master = openMaster({ replace })
  await master.addSource('film.mkv', 'the original')
  const db = new Database(join(dirname(master.root_path), 'jobs.db'))
  db.run('UPDATE jobs SET source_size = NULL, source_mtime_ms = NULL')
  db.close()
  const job = await claimNext(master, 'film.mkv')
  writeFileSync(job.source_path, 'changed in mid-encode')
  expect(await handIn(master, job)).toMatchObject({ status: 'pending' })
  expect(filesOf(master.root_path)).toEqual({ 'film.mkv': 'changed in mid-encode' })
})
