import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openMaster } from '../../support/master.ts'
import { failingDisk } from './failing-disk.ts'
import { claimFilm, filesOf, handIn, replaceFilm } from './films.ts'

const films = ['film.mkv', 'film.mp4']
const replaced = (name: string) => ({ [`originals/${name}`]: 'the original', 'film.mp4': 'result' })

test('a disk that refuses even the way back leaves the film there, and the worker’s next word ends it', async () => {
  let halfway = 0
  for (const name of films) {
    for (let after = 1; after < 4; after++) {
      const disk = failingDisk(after)
      const master = openMaster({ replace: { moves: disk.moves } })
      const job = await claimFilm(master, name)
      const claim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
      const output_size = master.stage(job.staging_path, 'result')
      const first = await master.api.complete({ ...claim, output_size }).catch((error: Error) => error)
      const files = filesOf(master.root_path)
      expect(files[name] ?? files['film.mp4']).toBeDefined()
      expect(Object.values(files)).toContain('the original')
      if (!(first instanceof Error)) continue
      halfway++
      expect(await master.api.status({})).toMatchObject({ processing: 1 })
      disk.mend()
      expect(await master.api.complete({ ...claim, output_size })).toEqual({ status: 'completed' })
      expect(filesOf(master.root_path)).toEqual(replaced(name))
    }
  }
  expect(halfway).toBeGreaterThanOrEqual(3)
})

test('an undo on such a disk is ended when it is asked for again', async () => {
  for (const name of films) {
    for (let after = 1; after < 4; after++) {
      const disk = failingDisk(Infinity)
      const master = openMaster({ replace: { moves: disk.moves } })
      const job_id = await replaceFilm(master, name)
      disk.failAfter(after)
      await master.api.undoJob({ job_id }).catch(() => {})
      const files = filesOf(master.root_path)
      expect(files[name] ?? files['film.mp4']).toBeDefined()
      expect(Object.values(files)).toContain('the original')
      disk.mend()
      expect(await master.api.undoJob({ job_id })).toMatchObject({ status: 'skipped' })
      expect(filesOf(master.root_path)).toEqual({ [name]: 'the original' })
    }
  }
})

test('a half done replacement waits while the storage is not mounted: nothing is made in the empty mount point', async () => {
  for (const name of films) {
    const disk = failingDisk(1)
    const first = openMaster({ replace: { moves: disk.moves } })
    const job = await claimFilm(first, name)
    const claim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
    await handIn(first, job).catch(() => {})
    await first.coordinator.stop()
    await first.store.close()
    const root = first.root_path
    renameSync(root, `${root} unmounted`)
    mkdirSync(root)
    const master = openMaster({ base: dirname(root), replace: {} })
    await master.coordinator.start()
    expect(await master.api.complete({ ...claim, output_size: 6 }).catch(({ code }) => code)).toBe('unavailable')
    expect(filesOf(root)).toEqual({})
    expect(existsSync(join(root, '.darkstream'))).toBe(false)
    expect(await master.api.status({})).toMatchObject({ processing: 1, failed: 0 })
    rmSync(root, { recursive: true })
    renameSync(`${root} unmounted`, root)
    expect(await master.api.complete({ ...claim, output_size: 6 })).toEqual({ status: 'completed' })
    expect(filesOf(root)).toEqual(replaced(name))
  }
})
