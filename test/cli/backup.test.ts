import { Database } from 'bun:sqlite'
import { afterEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openSqliteStore } from '../../src/queue/sqlite/sqlite-store.ts'
import type { Store } from '../../src/queue/store.ts'
import { recount } from '../queue/cases/totals.ts'
import { keyOf, lease_ms, result, source } from '../queue/cases/world.ts'

const main = join(import.meta.dir, '..', '..', 'src', 'main.ts')
/** All of them made by `mkdtemp`. */
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A database of a master in a folder of its own, with a configuration that names it. */
function prepared() {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-backup-'))
  folders.push(folder)
  const path = join(folder, 'jobs.db')
  writeFileSync(join(folder, 'config.yaml'), `database: {path: ${JSON.stringify(path)}}\n`)
  return { folder, path, target: join(folder, 'copy.db'), openStore: () => open(path) }
}

const open = (path: string) => openSqliteStore({ path, max_retries: 3, clock: () => 0 })

/** Runs the command in a folder with the configuration; `limit` is what a file may grow to, in blocks of the shell. */
async function backUp(folder: string, args: readonly string[], limit?: number, before: readonly string[] = []) {
  const argv = [...before, process.execPath, main, 'backup', ...args, '--config', join(folder, 'config.yaml')]
  const limited = ['sh', '-c', `trap '' XFSZ; ulimit -f ${limit}; exec "$@"`, 'sh', ...argv]
  const child = Bun.spawn(limit === undefined ? argv : limited, { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
  const [output, problems, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { output, problems, code }
}

/** What a command is put behind so that a folder's rights hold for it: root may do all, unless it gives that up. */
const asAnybody =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : ([] as const)

async function fill(store: Store, jobs: number): Promise<void> {
  await store.addSources(Array.from({ length: jobs }, (_, index) => source(`film ${index}`)))
}

test('a running master’s database is copied as it was at one instant, checked, for its owner alone', async () => {
  const { folder, target, openStore } = prepared()
  const store = openStore()
  await fill(store, 5000)
  let isCopied = false
  const copying = backUp(folder, ['copy.db']).finally(() => (isCopied = true))
  // The master goes on all the while.
  for (let count = 0; !isCopied; count++) {
    const job = await store.claim({ worker_id: 'alice', request_id: null, lease_ms })
    if (job) await store.complete(keyOf(job), result)
    if (count % 20 === 0) await setImmediate()
  }
  const { output, problems, code } = await copying
  expect({ code, problems }).toEqual({ code: 0, problems: expect.stringMatching(/^copying .*jobs\.db \(.*B\)\n$/) })
  expect(output).toMatch(/copy\.db holds 5,000 jobs, [\d.]+ MB: copied and checked in /)
  const completed = (await store.totals()).by_status.completed
  await store.close()
  expect(statSync(target).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).toSorted()).toEqual(['config.yaml', 'copy.db', 'jobs.db', 'jobs.db-lock'])
  const copy = open(target)
  const { jobs } = await copy.jobs({ limit: 10_000 })
  expect(await copy.totals()).toEqual(recount(jobs))
  expect((await copy.totals()).by_status.completed).toBeWithin(0, completed + 1)
  await copy.close()
})

test('a master that is not running is copied too, and programs get the figures', async () => {
  const { folder, target, path, openStore } = prepared()
  const store = openStore()
  await fill(store, 3)
  await store.close()
  const before = readFileSync(path)
  const { output, code } = await backUp(folder, [target, '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(output)).toEqual({
    database: path,
    path: target,
    size_bytes: statSync(target).size,
    jobs: 3,
    seconds: expect.any(Number),
  })
  expect(readFileSync(path).equals(before)).toBe(true)
})

test.if(process.platform !== 'win32' && (asAnybody.length === 0 || Bun.which('setpriv') !== null))(
  'where a folder cannot be synced the copy is there and is said to be',
  async () => {
    const { folder, openStore } = prepared()
    const store = openStore()
    await fill(store, 3)
    await store.close()
    const blind = mkdtempSync(join(folder, 'blind-'))
    // What nobody may read nobody can open to sync it; this stands for the file systems that have no such sync.
    chmodSync(blind, 0o300)
    const { problems, code } = await backUp(folder, [join(blind, 'copy.db')], undefined, asAnybody)
    chmodSync(blind, 0o700)
    expect({ problems, code }).toEqual({ code: 0, problems: expect.stringContaining('copying ') })
    expect(readdirSync(blind)).toEqual(['copy.db'])
  },
)

describe('refused with a sentence, and nothing is left or touched:', () => {
  test('a name that is taken', async () => {
    const { folder, target, openStore } = prepared()
    await openStore().close()
    writeFileSync(target, 'mine')
    expect(await backUp(folder, ['copy.db'])).toMatchObject({
      code: 1,
      problems: expect.stringContaining('copy.db is there already: name another file, or remove it'),
    })
    expect(readFileSync(target, 'utf8')).toBe('mine')
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
  })

  test('the name of the database itself', async () => {
    const { folder, path, openStore } = prepared()
    await openStore().close()
    const before = readFileSync(path)
    expect(await backUp(folder, ['jobs.db'])).toMatchObject({ code: 1, output: '' })
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('a database that is not there', async () => {
    const { folder, path, target } = prepared()
    const { problems, code } = await backUp(folder, ['copy.db'])
    expect({ problems, code }).toEqual({
      code: 1,
      problems: `darkstream: there is no database at ${path}: name the master's configuration with --config, on the master's machine\n`,
    })
    expect([existsSync(path), existsSync(target)]).toEqual([false, false])
  })

  test('a folder that is not there', async () => {
    const { folder, openStore } = prepared()
    await openStore().close()
    const { problems, code } = await backUp(folder, ['nowhere/copy.db'])
    expect({ problems, code }).toMatchObject({ code: 1, problems: expect.stringContaining('there is no folder ') })
  })

  test('a damaged database', async () => {
    const { folder, path, target, openStore } = prepared()
    const store = openStore()
    await fill(store, 300)
    await store.close()
    writeFileSync(path, readFileSync(path).fill(0xa5, 4096, 8192))
    const { problems, code } = await backUp(folder, ['copy.db'])
    expect({ problems, code }).toMatchObject({ code: 1, problems: expect.stringContaining('jobs.db is damaged') })
    expect(existsSync(target)).toBe(false)
  })

  test("another program's database", async () => {
    const { folder, path } = prepared()
    const other = new Database(path, { create: true })
    other.run('CREATE TABLE photos (id INTEGER)')
    other.close()
    const { problems, code } = await backUp(folder, ['copy.db'])
    expect({ problems, code }).toMatchObject({
      code: 1,
      problems: expect.stringContaining("another program's database"),
    })
  })

  test('a place that takes no more', async () => {
    const { folder, target, openStore } = prepared()
    const store = openStore()
    await fill(store, 3000)
    const { problems, code } = await backUp(folder, ['copy.db'], 200)
    expect({ problems, code }).toMatchObject({ code: 1, problems: expect.stringContaining('nothing was left there') })
    expect(existsSync(target)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([])
    expect((await store.totals()).by_status.pending).toBe(3000)
    await store.close()
  })

  test.if(process.getuid?.() !== 0)('a folder that may not be written', async () => {
    const { folder, openStore } = prepared()
    await openStore().close()
    const locked = mkdtempSync(join(folder, 'locked-'))
    chmodSync(locked, 0o500)
    expect(await backUp(folder, [join(locked, 'copy.db')])).toMatchObject({ code: 1, output: '' })
  })

  test('no name at all', async () => {
    const { folder } = prepared()
    expect((await backUp(folder, [])).code).toBe(2)
  })
})
