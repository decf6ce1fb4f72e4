import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { pageOfJobs, statements } from '../../../src/queue/sqlite/statements.ts'
import { source } from '../cases/world.ts'
import { writeOriginalDatabase } from './original-database.ts'
import { temporaryFolder } from './temporary.ts'

let path = ''
const folder = temporaryFolder()

beforeAll(async () => {
  path = join((await folder).path, 'jobs.db')
  const store = openSqliteStore({ path, max_retries: 3, clock: () => 0 })
  await store.addSources(Array.from({ length: 500 }, (_, index) => source(`film ${index}`)))
  await store.close()
})

afterAll(async () => (await folder).remove())

/**
 * How SQLite goes about a statement, a line a step. On a connection of its own: an EXPLAIN of a writing statement that is
 * left unreset, as bun's cached `query` leaves it, keeps its connection from ever committing again.
 */
function planOf(sql: string, database = path): string[] {
  const db = new Database(database)
  const statement = db.prepare<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
  const plan = statement.all().map((step) => step.detail)
  statement.finalize()
  db.close()
  return plan
}

test('a claim walks the index of pending jobs in its order and sorts no more than the first job of each list', () => {
  const plan = planOf(statements.claim)
  expect(plan).toContainEqual(expect.stringMatching(/USING (COVERING )?INDEX jobs_pending/))
  const firstOfList = 'SEARCH jobs USING COVERING INDEX jobs_refused (refused_by=?)'
  expect(plan).toContain(firstOfList)
  expect(plan.filter((step) => step.includes('TEMP B-TREE'))).toEqual(['USE TEMP B-TREE FOR ORDER BY'])
  expect(plan.indexOf('USE TEMP B-TREE FOR ORDER BY')).toBeGreaterThan(plan.indexOf(firstOfList))
  expect(plan.join('\n')).not.toContain('idx_jobs_status')
})

test('lists of refusers are found by jumps in their index, and offers that nobody took by theirs', () => {
  const jump = 'SEARCH jobs USING COVERING INDEX jobs_refused (refused_by>?)'
  expect(planOf(statements.claim).filter((step) => step.includes('(refused_by>?)'))).toEqual([jump, jump])
  expect(planOf(statements.stranded)).toContainEqual(
    expect.stringContaining('jobs_offers (refused_by=? AND refused_at_ms<?)'),
  )
})

test('a claim with a limit jumps from one class of sizes to the next, and reads each in its order', () => {
  const plan = planOf(statements.claimFitting)
  expect(plan).toContainEqual(expect.stringMatching(/SEARCH jobs USING (COVERING )?INDEX jobs_sizes \(size_class>\?\)/))
  expect(plan).toContainEqual(expect.stringMatching(/SEARCH jobs USING (COVERING )?INDEX jobs_sizes \(size_class=\?\)/))
  expect(plan).toContain('SEARCH jobs USING INDEX jobs_refused (refused_by=?)')
  expect(plan.filter((step) => step.includes('TEMP B-TREE'))).toEqual(['USE TEMP B-TREE FOR ORDER BY'])
  // A list that is made whole before its first row is looked at would be read to its end each time.
  expect(plan.filter((step) => step.startsWith('MATERIALIZE'))).toEqual(['MATERIALIZE classes', 'MATERIALIZE lists'])
})

test('the totals read the counters and no job', () => {
  expect(planOf(statements.counters)).toEqual(['SCAN counters'])
})

test('the most frequent paths are read from their index in its order, and a completion finds its path by the key', () => {
  expect(planOf(statements.paths)).toEqual([expect.stringContaining('USING INDEX paths_order')])
  const byKey = "SELECT jobs FROM paths WHERE decode = 1 AND filter = 1 AND encoder = 1 AND ifnull(device, '') = 1"
  expect(planOf(byKey)).toEqual([
    expect.stringContaining('paths_key (decode=? AND filter=? AND encoder=? AND <expr>=?)'),
  ])
})

test('expired claims and publications are found by the index of leases', () => {
  expect(planOf(statements.expiredClaims)).toEqual([expect.stringContaining('jobs_leases (lease_expires_ms<?)')])
  expect(planOf(statements.publishing)).toEqual([expect.stringContaining('jobs_leases')])
})

test('history that is old enough to go is found by the index of it alone, which leaves the newest attempts out', () => {
  const plan = planOf(statements.forgetAttempts)
  expect(plan).toContainEqual(expect.stringContaining('attempts_superseded (ended_at<?)'))
  expect(plan).toContainEqual(expect.stringContaining('USING PRIMARY KEY (job_id=? AND attempt=?)'))
  expect(plan.join('\n')).not.toContain('SCAN attempts')
})

test('retries that are due are found by the index of retries', () => {
  const plan = planOf(statements.retryDue)
  expect(plan).toContainEqual(expect.stringContaining('jobs_retries (retry_at_ms>? AND retry_at_ms<?)'))
})

test('the newest completions are read from their index in its order', () => {
  const plan = planOf(statements.completions)
  expect(plan).toEqual([expect.stringContaining('jobs_completions (completed_at>?)')])
})

test('the oldest failed jobs are read from the index of states in its order', () => {
  const plan = planOf(statements.retryFailed)
  expect(plan).toContainEqual(expect.stringContaining('idx_jobs_status (status=?)'))
  expect(plan.join('\n')).not.toContain('TEMP B-TREE')
})

test("what is in a worker's name, or of a request, is looked for among what is being processed", () => {
  for (const sql of [statements.renewWorker, statements.claimsOfWorker, statements.claimed]) {
    expect(planOf(sql)).toEqual([expect.stringContaining('jobs_leases')])
  }
})

test('a source is found by its path, and whether an output is taken by the index of outputs', () => {
  expect(planOf(statements.sourceByPath)).toEqual([expect.stringContaining('jobs_sources (source_path=?)')])
  expect(planOf(statements.isOutputTaken)).toEqual([expect.stringContaining('jobs_outputs (output_path=?)')])
})

describe('no statement reads all jobs', () => {
  // A scan of these two reads no more than the jobs that are pending, up to the first that is due, or being processed.
  const allJobs = /SCAN jobs(?! USING (COVERING )?INDEX (jobs_pending|jobs_leases))/
  for (const [name, sql] of Object.entries(statements)) {
    test(name, () => expect(planOf(sql).join('\n')).not.toMatch(allJobs))
  }
})

describe('a page of jobs is read in its order, and starts where the last one ended', () => {
  for (const status of [false, true]) {
    for (const worker_id of [false, true]) {
      for (const after of [false, true]) {
        const filter = { status, worker_id, after, search: false }
        test(JSON.stringify(filter), () => {
          const plan = planOf(pageOfJobs(filter)).join('\n')
          if (!worker_id) expect(plan).not.toContain('TEMP B-TREE')
          if (after && !worker_id) expect(plan).toMatch(/\(created_at, rowid\)>|created_at>/)
        })
      }
    }
  }
})

test('the upgrade of an original database looks each job up by an index and never compares all with all', async () => {
  const original = join((await folder).path, 'original.db')
  writeOriginalDatabase(original, [])
  const migrations = join(import.meta.dir, '../../../src/queue/sqlite/migrations')
  const sql = await Bun.file(join(migrations, '0002_attempts.sql')).text()
  // A statement ends at the end of a line, unless it is one inside a trigger.
  for (const statement of sql.split(/;\n+(?=\S)(?!END)/)) {
    if (/^(--.*\n|\s)*UPDATE jobs/.test(statement)) {
      const [, ...subqueries] = planOf(statement, original).join('\n').split('CORRELATED')
      // An automatic index is built anew for each row that it is asked for.
      expect(subqueries.filter((plan) => /SCAN|AUTOMATIC/.test(plan))).toEqual([])
    }
    const db = new Database(original)
    db.run(statement)
    db.close()
  }
})

test('results, originals that are due and undoings that were cut short are found by their indexes', () => {
  expect(planOf(statements.isOwnResult)).toEqual([
    expect.stringContaining('replacements_results (result_size=? AND result_mtime_ms=?)'),
  ])
  expect(planOf(statements.dueOriginals)).toEqual([expect.stringContaining('replacements_due (kept_until_ms>? AND')])
  expect(planOf(statements.undoing)).toEqual([expect.stringContaining('replacements_undoing')])
  expect(planOf(statements.replacement)).toEqual([expect.stringContaining('PRIMARY KEY (job_id=?)')])
  expect(planOf(statements.requeue).join('\n')).toContain('PRIMARY KEY (job_id=? AND attempt=?)')
})
