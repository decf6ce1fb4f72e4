import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import type { Task } from './dying-child.ts'
import { filesOf } from './films.ts'

/** More changes of names than any replacement or undo takes. */
const mostMoves = 8

/** Runs a child that dies in the middle of it; whether it died, and was not through before. */
async function dies(task: Task): Promise<boolean> {
  const child = Bun.spawn([process.execPath, 'test', join(import.meta.dir, 'dying-child.ts')], {
    env: { ...process.env, DYING_TASK: JSON.stringify(task) },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [text, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code !== 0 && child.signalCode !== 'SIGKILL') throw new Error(text)
  return child.signalCode === 'SIGKILL'
}

/** The folders that children left who died before or after each change of names in turn. */
async function* deaths(task: Pick<Task, 'name' | 'act' | 'has_links'>): AsyncGenerator<string> {
  for (let moves = 0; moves < mostMoves; moves++) {
    for (const when of moves === 0 ? (['before'] as const) : (['after', 'before'] as const)) {
      const base = temporaryFolder()
      if (await dies({ ...task, base, moves, dies: when })) yield base
      else if (when === 'after') return
    }
  }
}

/** What a film's folder may hold at the moment of a death: the film under its old or its new name, whole. */
function expectFilm(root: string, { name, has_links }: Pick<Task, 'name' | 'has_links'>): void {
  const files = filesOf(root)
  const visible = files[name] ?? files['film.mp4']
  // Without second names a result that takes the very name of its source leaves a gap of one rename.
  const isGap = !has_links && name === 'film.mp4' && visible === undefined
  if (!isGap) expect(visible).toBeOneOf(['the original', 'result'])
  expect(Object.values(files)).toContain('the original')
}

for (const has_links of [true, false]) {
  for (const name of ['film.mkv', 'film.mp4']) {
    const where = `${name}, on a disk ${has_links ? 'with' : 'without'} second names`

    test(`a master killed between any two steps of a replacement is followed by one that ends it: ${where}`, async () => {
      let count = 0
      for await (const base of deaths({ name, act: 'replace', has_links })) {
        count++
        expectFilm(join(base, 'source'), { name, has_links })
        const master = openMaster({ base, replace: {} })
        await master.coordinator.start()
        expect(await master.api.status({})).toMatchObject({ completed: 1, processing: 0 })
        const [job] = (await master.api.jobs({})).jobs
        expect(filesOf(master.root_path)).toEqual({ [`originals/${name}`]: 'the original', 'film.mp4': 'result' })
        await master.api.undoJob({ job_id: job?.id ?? '' })
        expect(filesOf(master.root_path)).toEqual({ [name]: 'the original' })
      }
      expect(count).toBeGreaterThanOrEqual(4)
    }, 120_000)

    test(`a master killed between any two steps of an undo is followed by one that ends it: ${where}`, async () => {
      let count = 0
      for await (const base of deaths({ name, act: 'undo', has_links })) {
        count++
        expectFilm(join(base, 'source'), { name, has_links })
        const master = openMaster({ base })
        await master.coordinator.start()
        expect(await master.api.status({})).toMatchObject({ skipped: 1, completed: 0 })
        expect(filesOf(master.root_path)).toEqual({ [name]: 'the original' })
      }
      expect(count).toBeGreaterThanOrEqual(4)
    }, 120_000)
  }
}
