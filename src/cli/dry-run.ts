import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Job } from '../contract/job.ts'
import { profilesOfPath } from '../master/path-profiles.ts'
import { profilesFor, settingsOf } from '../master/settings-of.ts'
import { SkippedError } from '../pipeline/skipped-error.ts'
import { backUpDatabase } from '../queue/sqlite/backup.ts'
import { buildMaster, type Master } from './build-master.ts'
import { openLog } from './open-log.ts'
import { type PlanReport, planReport } from './plan-report.ts'
import { openPlanner, type Planner } from './planner.ts'
import { dryRunSummary, verdictLine } from './dry-run-text.ts'

/** What would become of one file. */
export type Verdict =
  | { action: 'convert'; source_path: string; plan: PlanReport }
  | { action: 'skip'; source_path: string; source_size: number; reason: string }
  | { action: 'fail'; source_path: string; source_size: number; reason: string }

/** Jobs that are looked at side by side. */
const pageSize = 2 * availableParallelism()

/**
 * What `start` would do with a folder: every file that is not done yet is looked at and planned, and nothing is written but
 * to a temporary folder, where a copy of the queue is brought up to date.
 */
export async function dryRun(config: Config, options: { json: boolean; signal: AbortSignal }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-dry-run-'))
  const database = join(folder, 'jobs.db')
  copyQueue(config.database.path, database)
  const log = openLog({ ...config.logging, output_path: null })
  const scanner = { ...config.scanner, settle_time: 0, watch: false, scan_interval: 0 }
  const master = buildMaster({ ...config, scanner, database: { ...config.database, path: database } }, log, () => {})
  try {
    const planner = await openPlanner(config, log, options.signal)
    try {
      await master.scanner.scan()
      return await tell(master, planner, config, options)
    } finally {
      planner.close()
    }
  } finally {
    await master.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A reader of a database leaves files beside it; of one that nobody has open the file itself is all that there is. */
function copyQueue(path: string, copy: string): void {
  if (existsSync(`${path}-wal`)) backUpDatabase(path, copy)
  else if (existsSync(path)) copyFileSync(path, copy)
}

async function tell(
  master: Master,
  planner: Planner,
  { scanner, conversion, profiles }: Config,
  { json, signal }: { json: boolean; signal: AbortSignal },
): Promise<number> {
  const rules = { settings: conversion, profilesOf: profilesOfPath(profiles, resolve(scanner.root_path)) }
  const { by_status } = await master.store.totals()
  const verdicts: Verdict[] = []
  for await (const jobs of pending(master)) {
    signal.throwIfAborted()
    for (const verdict of await Promise.all(jobs.map(judge))) {
      verdicts.push(verdict)
      if (!json) process.stdout.write(verdictLine(verdict, scanner))
    }
  }
  const problems = master.scanner.report().problems
  const told = { done: by_status.completed, skipped: by_status.skipped, problems }
  process.stdout.write(
    json ? `${JSON.stringify({ ...told, files: verdicts }, null, 2)}\n` : dryRunSummary(verdicts, told),
  )
  return 0

  async function judge(job: Job): Promise<Verdict> {
    const { source_path, source_size, output_path, status, error_message } = job
    const not = (action: 'skip' | 'fail', reason: string) =>
      ({ action, source_path, source_size: source_size ?? 0, reason }) as const
    if (status === 'failed') return not('fail', error_message ?? 'no reason is known')
    try {
      const settings = settingsOf(rules, job, undefined)
      const planned = await planner.plan({ source_path, output_path, settings, profiles: profilesFor(rules, job) })
      return { action: 'convert', source_path, plan: planReport({ source_path, output_path, ...planned }) }
    } catch (error) {
      if (error instanceof SkippedError) return not('skip', error.message)
      if (!(error instanceof ConversionError)) throw error
      return not('fail', error.message)
    }
  }
}

/** What is left to do, some jobs at a time. */
async function* pending({ store }: Master): AsyncGenerator<Job[]> {
  for (const status of ['pending', 'processing', 'failed'] as const) {
    let after: string | undefined
    do {
      const page = await store.jobs({ status, limit: pageSize, after })
      yield page.jobs
      after = page.next ?? undefined
    } while (after !== undefined)
  }
}
