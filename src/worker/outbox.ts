import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { Integer } from '../contract/fields.ts'
import { routes } from '../contract/routes.ts'
import type { Log } from '../util/log.ts'
import { syncPath } from '../util/sync-path.ts'

/** Of the worker's scratch folder; what is in it outlives the process. */
export const outboxFolderName = 'outbox'

const attempt = Integer(1)

/** How an attempt ended, in the words in which the master is told. */
const Report = v.variant('outcome', [
  v.object({ outcome: v.literal('completed'), input: v.object({ ...routes.complete.input.entries, attempt }) }),
  v.object({ outcome: v.literal('skipped'), input: routes.skip.input }),
  v.object({ outcome: v.literal('failed'), input: v.object({ ...routes.fail.input.entries, attempt }) }),
])
export type Report = v.InferOutput<typeof Report>

/** An attempt's end that the master has not heard of yet, as a file holds it. */
const OutboxEntry = v.object({
  /** For whom it is: a worker may have been given another master since. */
  master: v.string(),
  /** Where the result lies; nothing does of what is skipped or failed. */
  staging_path: v.string(),
  /** Whether the result lies on this host, and is to be uploaded first. */
  is_upload: v.optional(v.boolean(), false),
  report: Report,
})
export type OutboxEntry = v.InferOutput<typeof OutboxEntry>

export interface OutboxOptions {
  /** The worker's own; made when it is not there. */
  folder: string
  /** What tells this master from another. */
  master: string
  worker_id: string
  log: Log
}

/**
 * What a worker has to tell its master, a file each, so that neither a master that is away nor the worker's own end
 * loses it. A file is whole or not there: written under another name, flushed, renamed.
 */
export class Outbox {
  private readonly options: OutboxOptions
  /** By file name. */
  private readonly entries = new Map<string, OutboxEntry>()

  constructor(options: OutboxOptions) {
    this.options = options
  }

  /**
   * Reads what earlier runs left for this master. What is for another is left alone, and so is what the disk does not give
   * just now; what is no entry gets another name, for a person to look at.
   */
  async read(): Promise<void> {
    const { folder, master, worker_id, log } = this.options
    const others = new Set<string>()
    for (const name of await this.names()) {
      const entry = await this.readEntry(name)
      if (entry === undefined) continue
      if (entry.report.input.worker_id === worker_id && entry.master === master) this.entries.set(name, entry)
      else others.add(`${entry.report.input.worker_id} for ${entry.master}`)
    }
    if (this.entries.size > 0) log.info(`${this.entries.size} results of an earlier run wait in the outbox`)
    for (const other of others) log.warn(`the outbox ${folder} holds results for another to deliver: ${other}`)
  }

  /** The names of entries; what a crash left half written is removed. */
  private async names(): Promise<string[]> {
    const { folder, log } = this.options
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') log.warn(`cannot look into the outbox, what it holds waits: ${error.message}`)
      return []
    })
    for (const name of names.filter((one) => one.endsWith('.json.new'))) {
      await rm(join(folder, name), { force: true }).catch(() => {})
    }
    return names.filter((name) => name.endsWith('.json'))
  }

  private async readEntry(name: string): Promise<OutboxEntry | undefined> {
    const { folder, log } = this.options
    const path = join(folder, name)
    try {
      const entry = parseEntry(await readFile(path, 'utf8'))
      if (entry !== undefined) return entry
      await rename(path, `${path}.unreadable`)
      log.warn(`an entry of the outbox makes no sense, it is kept as ${path}.unreadable`)
    } catch (error) {
      log.warn(`cannot read an entry of the outbox, it is left where it is: ${path}: ${(error as Error).message}`)
    }
    return undefined
  }

  /** What is in it. */
  get all(): OutboxEntry[] {
    return [...this.entries.values()]
  }

  /** The claims that it speaks of: they are held until the master has heard. */
  get claims(): { job_id: string; attempt: number }[] {
    return this.all.map(({ report }) => ({ job_id: report.input.job_id, attempt: report.input.attempt }))
  }

  /** Notes how an attempt ended, in the place of what was noted of it before. Where the disk forbids it, in memory only. */
  async keep(told: Omit<OutboxEntry, 'master'>): Promise<OutboxEntry> {
    const { folder, master, log } = this.options
    const entry = { ...told, master }
    const name = nameOf(entry)
    this.entries.set(name, entry)
    try {
      await writeDurably(folder, name, JSON.stringify(entry))
    } catch (error) {
      log.warn(`cannot note a result in the outbox, a restart would lose it: ${(error as Error).message}`)
    }
    return entry
  }

  /** The master has heard it, or does not want to. */
  async remove(entry: OutboxEntry): Promise<void> {
    const { folder, log } = this.options
    const name = nameOf(entry)
    this.entries.delete(name)
    await rm(join(folder, name), { force: true }).catch((error: Error) =>
      log.warn(`cannot remove an entry of the outbox, it will be told again: ${error.message}`),
    )
  }
}

function parseEntry(text: string): OutboxEntry | undefined {
  try {
    return v.parse(OutboxEntry, JSON.parse(text))
  } catch {
    return undefined
  }
}

/** One name an attempt, whatever letters its job's id has. */
function nameOf({ report }: OutboxEntry): string {
  const { job_id, attempt } = report.input
  return `${createHash('sha256').update(job_id).digest('hex').slice(0, 32)}.${attempt}.json`
}

async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `${name}.new`)
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(folder, name))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  // Windows opens no folders.
  if (process.platform === 'win32') return
  for (const path of [folder, join(folder, '..')]) await syncPath(path)
}
