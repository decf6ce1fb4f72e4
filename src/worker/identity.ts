import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../util/errno.ts'
import { outboxFolderName } from './outbox.ts'
import { resultsFolderName, sourcesFolderName } from './transfer/job-files.ts'

const pidFileName = 'pid'
/** What outlives the process: whose they are is known only once the outbox is read. */
const keptNames = new Set([pidFileName, outboxFolderName, sourcesFolderName, resultsFolderName])

/** A worker's claim to its id on this machine, and the scratch folder that goes with it. */
export interface Identity {
  worker_id: string
  /** A folder of this worker alone, in which leftovers of an earlier run are its own to remove. */
  work_base: string
  /** Gives the id free. */
  release: () => void
}

/**
 * Takes an id that no living worker on this machine has. A configured id is taken as it is or not at all; the host's
 * name becomes `host-2`, `host-3` ... when workers share a host. The folder is made readable by this user alone.
 */
export function takeIdentity(options: {
  cache_path: string
  configured_id: string | null
  hostname: string
}): Identity | undefined {
  const { cache_path, configured_id, hostname } = options
  mkdirSync(cache_path, { recursive: true, mode: 0o700 })
  if (configured_id !== null) return take(cache_path, configured_id)
  for (let number = 1; number <= 1000; number++) {
    const identity = take(cache_path, number === 1 ? hostname : `${hostname}-${number}`)
    if (identity) return identity
  }
  return undefined
}

/** Removes what an earlier run of this worker left in its folder, but for what it still has to tell the master, and sources. */
export function removeLeftovers({ work_base }: Identity): void {
  for (const name of readdirSync(work_base)) {
    if (!keptNames.has(name)) rmSync(join(work_base, name), { recursive: true, force: true })
  }
}

function take(cache_path: string, worker_id: string): Identity | undefined {
  const work_base = join(cache_path, `worker-${encodeURIComponent(worker_id).slice(0, 200)}`)
  const pidFile = join(work_base, pidFileName)
  mkdirSync(work_base, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(pidFile, processMark(process.pid), { flag: 'wx' })
  } catch {
    if (isAlive(pidFile)) return undefined
    writeFileSync(pidFile, processMark(process.pid))
  }
  return { worker_id, work_base, release: () => rmSync(pidFile, { force: true }) }
}

/** A process by its number and, where the system tells, when it started: numbers come back, in containers at once. */
function processMark(pid: number): string {
  return `${pid} ${startTime(pid) ?? ''}`
}

function isAlive(pidFile: string): boolean {
  const mark = readIfThere(pidFile) ?? ''
  const pid = Number.parseInt(mark, 10)
  if (!(pid > 0) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
  }
  return processMark(pid) === mark
}

/** Clock ticks after boot at which a process started, field 22 of proc_pid_stat(5); undefined beyond Linux. */
function startTime(pid: number): string | undefined {
  return readIfThere(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')[19]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
