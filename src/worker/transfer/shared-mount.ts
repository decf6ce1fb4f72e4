import { open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { Api } from '../../contract/api.ts'
import { DarkstreamError } from '../../contract/error.ts'
import type { Assignment } from '../../contract/job.ts'
import { mapPath, type PathMapping, spellings } from './path-map.ts'

/** Milliseconds after which a worker that had no mount looks for it again. */
const lookAgainMs = 60_000

/** A mount that is the same disk, but full: whose fault that is is told where it matters. */
const fullCodes = new Set(['ENOSPC', 'EDQUOT'])

export interface SharedMountOptions {
  api: Api
  worker_id: string
  path_map: readonly PathMapping[]
  now?: () => number
}

/** Where a job's files are on this host. */
export interface LocalFiles {
  source_path: string
  staging_path: string
}

/** Knows whether this host has the master's own files before it; by trying, not by the names of folders. */
export class SharedMount {
  private readonly options: SharedMountOptions
  /** Why the results' folder is not the same, and when that was found; undefined when it is, null when not known. */
  private output: { why: string; at: number } | undefined | null = null

  constructor(options: SharedMountOptions) {
    this.options = options
  }

  /** Where a job's files are here, or why they are not, a clause. */
  async find(job: Assignment): Promise<LocalFiles | { why: string }> {
    const { path_map } = this.options
    const staging_path = mapPath(job.staging_path, path_map)
    if (staging_path === undefined) return { why: `${job.staging_path} cannot be a path on this host` }
    const why = await this.whyOtherOutput()
    if (why !== undefined) return { why }
    const source = await this.findSource(job)
    return 'why' in source ? source : { ...source, staging_path }
  }

  /** Whether the results' folder was found to be the same; false also where the master could not say. */
  isProven(): boolean {
    return this.output === undefined
  }

  /** A job failed: what was found of the mount may not hold any more. */
  doubt(): void {
    this.output = null
  }

  /** Looks at the results' folder, unless that was done lately. */
  async whyOtherOutput(): Promise<string | undefined> {
    const { now = () => performance.now() } = this.options
    const known = this.output
    if (known === undefined || (known !== null && now() - known.at < lookAgainMs)) return known?.why
    const why = await this.proveOutput()
    // What the master cannot say it may say next time.
    if (why !== 'unknown') this.output = why === undefined ? undefined : { why, at: now() }
    return why === 'unknown' ? undefined : why
  }

  private async proveOutput(): Promise<string | undefined> {
    const { api, worker_id, path_map } = this.options
    const proof = await api.beginStorageProof({ worker_id }).catch((error: unknown) => {
      // A master of before, or one that cannot write there itself, and then nothing can be published either way.
      if (error instanceof DarkstreamError && ['not_found', 'unavailable'].includes(error.code)) return undefined
      throw error
    })
    if (proof === undefined) return 'unknown'
    const { proof_id } = proof
    const path = mapPath(proof.path, path_map)
    const answerPath = mapPath(proof.answer_path, path_map)
    const read = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined)
    const isHere = path !== undefined && answerPath !== undefined && read !== undefined
    const written = crypto.randomUUID()
    const code = isHere ? await writeNew(answerPath, written) : 'ENOENT'
    // Told in any case: then the master removes what it wrote.
    const { is_same } = await api.confirmStorage({ worker_id, proof_id, read: read ?? '', written })
    if (is_same || (isHere && fullCodes.has(code ?? ''))) return undefined
    if (!isHere) return `the folder for results is not here (${path ?? proof.path})`
    if (code !== undefined) return `the folder for results cannot be written here (${answerPath}: ${code})`
    await rm(answerPath, { force: true }).catch(() => {})
    return `the folder for results is another one here (${answerPath})`
  }

  private async findSource(job: Assignment): Promise<{ source_path: string } | { why: string }> {
    const { api, worker_id, path_map } = this.options
    const mapped = mapPath(job.source_path, path_map)
    const source_path = mapped === undefined ? undefined : await firstThere(spellings(mapped))
    if (source_path === undefined) return { why: `the source is not here (${mapped ?? job.source_path})` }
    const claim = { job_id: job.id, worker_id, attempt: job.attempt }
    const mark = await api.sourceMark(claim).catch((error: unknown) => {
      // What the master cannot read, or does not know how to tell, is the worker's to look at.
      if (error instanceof DarkstreamError && ['not_found', 'forbidden'].includes(error.code)) return undefined
      throw error
    })
    if (mark === undefined) return { source_path }
    try {
      const { size, mtimeMs } = await stat(source_path)
      const isSame =
        size === mark.size &&
        // Some file servers keep whole seconds, or two.
        Math.abs(Math.floor(mtimeMs) - mark.mtime_ms) < 2000 &&
        (await headSum(source_path, mark.head_bytes)) === mark.head_sha256
      return isSame ? { source_path } : { why: `another file than the master's is at ${source_path}` }
    } catch (error) {
      return { why: `the source cannot be read here (${source_path}: ${(error as NodeJS.ErrnoException).code})` }
    }
  }
}

/** The code of what forbids it; undefined when it is done. */
async function writeNew(path: string, text: string): Promise<string | undefined> {
  return writeFile(path, text, { flag: 'wx' }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await stat(path).catch(() => undefined)) return path
  return undefined
}

async function headSum(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0)
    return new Bun.CryptoHasher('sha256').update(buffer.subarray(0, bytesRead)).digest('hex')
  } finally {
    await file.close()
  }
}
