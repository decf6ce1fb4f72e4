import { Database } from 'bun:sqlite'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { join } from 'node:path'
import { aMoment, type Fault, type Round } from '../fault.ts'
import { digest } from '../library.ts'

/** Databases that a master must not touch. */
export const databaseFaults: readonly Fault[] = [
  { name: 'corrupt-database', inject: (round) => refused(round, damage, /damaged|not a SQLite database/) },
  { name: 'newer-database', inject: (round) => refused(round, makeNewer, /newer darkstream/) },
]

/** The master ends and finds a spoilt copy in the place of its database; it must say so and leave it as it is. */
async function refused(round: Round, spoil: (path: string) => void, sentence: RegExp) {
  const { base, database, master } = round.world
  await aMoment(round)
  await master.kill()
  const kept = join(base, 'kept-database')
  mkdirSync(kept, { recursive: true })
  const ends = ['', '-wal', '-shm'].filter((end) => existsSync(database + end))
  for (const end of ends) copyFileSync(database + end, join(kept, `jobs.db${end}`))
  for (const end of ends) rmSync(database + end)
  for (const end of ends) copyFileSync(join(kept, `jobs.db${end}`), database + end)
  spoil(database)
  const before = digest(database)
  const logged = master.output().length
  master.start()
  return async () => {
    const code = await master.ended(30_000)
    const said = master.output().slice(logged)
    if (code === undefined || code === 0) round.broken(`a master went on with a database that is not fit (${code})`)
    else if (!sentence.test(said)) round.broken(`a master refused a database without saying why: ${said.slice(-300)}`)
    if (digest(database) !== before) round.broken('a master changed a database that it refused')
    await master.kill()
    for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true })
    for (const end of ends) renameAcross(join(kept, `jobs.db${end}`), database + end)
  }
}

/** Whole, with no log beside it that would mend it. */
function foldIn(path: string): void {
  const db = new Database(path)
  db.run('PRAGMA journal_mode = DELETE')
  db.close()
}

function damage(path: string): void {
  foldIn(path)
  const file = openSync(path, 'r+')
  const { size } = statSync(path)
  try {
    for (let offset = 4096; offset < size; offset += 8192) writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, offset)
  } finally {
    closeSync(file)
  }
}

function makeNewer(path: string): void {
  foldIn(path)
  const db = new Database(path)
  db.run('PRAGMA user_version = 9999')
  db.close()
}

/** The copy may lie on another disk. */
function renameAcross(from: string, to: string): void {
  const beside = `${to}.back`
  copyFileSync(from, beside)
  renameSync(beside, to)
  rmSync(from)
}
