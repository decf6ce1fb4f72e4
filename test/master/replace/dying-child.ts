import { test } from 'bun:test'
import { systemMoves, type Moves } from '../../../src/master/moves.ts'
import { openMaster } from '../../support/master.ts'
import { claimFilm, handIn, replaceFilm } from './films.ts'

/** What a child is to do: with how many changes of names to live through, and whether the disk knows second names. */
export interface Task {
  base: string
  name: string
  act: 'replace' | 'undo'
  /** The process kills itself in the place of the next one, or right after the last one. */
  moves: number
  dies: 'before' | 'after'
  has_links: boolean
}

// Started by crash.test.ts: replaces a film, or replaces it and undoes that, and is killed in the middle. A test of its own,
// since masters of tests are cleaned up after tests.
const given = process.env['DYING_TASK']
if (given !== undefined) test('dies', () => perform(JSON.parse(given) as Task))

async function perform(task: Task): Promise<void> {
  const count = { left: task.act === 'replace' ? task.moves : Infinity }
  const moves = mortal(task, count)
  const master = openMaster({ base: task.base, replace: { moves } })
  if (task.act === 'replace') {
    await handIn(master, await claimFilm(master, task.name))
  } else {
    const job_id = await replaceFilm(master, task.name)
    count.left = task.moves
    await master.api.undoJob({ job_id })
  }
}

function mortal({ dies, has_links }: Task, count: { left: number }): Moves {
  const step = async (move: () => Promise<void>): Promise<void> => {
    if (dies === 'before' && count.left === 0) die()
    await move()
    count.left--
    if (dies === 'after' && count.left === 0) die()
  }
  return {
    link: (from, to) => (has_links ? step(() => systemMoves.link(from, to)) : noLinks()),
    rename: (from, to) => step(() => systemMoves.rename(from, to)),
    unlink: (path) => step(() => systemMoves.unlink(path)),
  }
}

async function noLinks(): Promise<never> {
  throw Object.assign(new Error('no links here'), { code: 'EPERM' })
}

/** As a power cut would: nothing more runs, nothing is flushed. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
