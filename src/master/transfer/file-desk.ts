import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { DarkstreamError } from '../../contract/error.ts'
import type { FileClaim, FileDesk, SourceFile } from '../../contract/files.ts'
import type { Job } from '../../contract/job.ts'
import { isOwner, notOwner } from '../ownership.ts'
import type { Parts } from '../parts.ts'
import { stagingPath } from '../publish.ts'
import { isInside } from '../real-path.ts'
import { releaseChanged } from '../release-claim.ts'
import { checkSource } from '../source-check.ts'

/** Of an encode alone; its worker tells no more how far it is once it uploads. */
const unmeasured = { fps: null, speed: null, eta_seconds: null }

/** Opens sources and staging files to the workers that hold their jobs. Every path comes from the job alone. */
export function fileDesk(parts: Parts): FileDesk {
  const { store, root_path, output_base, uploads, log } = parts
  // Workers try again every few seconds, each of them: whoever looks after the master is told once.
  let told: string | undefined
  return {
    async source(claim) {
      const source = await sourceOf(parts, await owned(claim))
      await refuseOutside(source.path, root_path)
      return source
    },

    async uploaded(claim) {
      return uploads.size(stagingPath(output_base, await owned(claim)))
    },

    async receive(claim, part, body) {
      const job = await owned(claim)
      const source = await checkSource(job, root_path)
      if (source.state === 'unmounted') throw new DarkstreamError('unavailable', `nothing is at ${root_path}`)
      const size = await uploads.receive(stagingPath(output_base, job), part, body).catch((error: unknown) => {
        tellOnce(error, claim)
        throw error
      })
      told = undefined
      // It may have been lost meanwhile, and the folder with it.
      await owned(claim)
      const { runs_on = null } = parts.progress.get(job.id)?.progress ?? {}
      const progress = { step: 'publish', percent: (100 * size) / part.size, runs_on, ...unmeasured } as const
      parts.progress.set(job.id, { attempt: job.attempt, progress })
      return size
    },
  }

  function tellOnce(error: unknown, { job_id, worker_id }: FileClaim): void {
    if (!(error instanceof DarkstreamError) || error.code !== 'unavailable' || error.message === told) return
    told = error.message
    log.warn(`results wait at their workers: ${told}`, { job_id, worker_id })
  }

  async function owned(claim: FileClaim): Promise<Job> {
    const job = await store.job(claim.job_id)
    if (!isOwner(job, claim)) throw notOwner(job, claim.job_id, claim.worker_id)
    return job
  }
}

/** Who may make a link among the sources could have any file of this machine sent that the master may read. */
async function refuseOutside(path: string, root_path: string): Promise<void> {
  const [file, root] = await Promise.all([realpath(path), realpath(root_path)])
  if (isInside(file, root)) return
  const remedy = 'mount it there, or let a worker with the shared mount convert it'
  throw new DarkstreamError(
    'forbidden',
    `a link leads out of scanner.root_path, and is not followed over HTTP: ${remedy}`,
  )
}

/**
 * A job's source as it is now.
 *
 * @throws DarkstreamError `conflict` when it is not the file that was claimed, which is then queued again; `not_found` when
 * it is gone, `unavailable` while its storage is not mounted, `forbidden` when the master may not read it
 */
export async function sourceOf(parts: Parts, job: Job): Promise<SourceFile & { mtime_ms: number }> {
  const source = await checkSource(job, parts.root_path)
  if (source.state === 'changed') {
    const detail = 'the source changed after it was claimed: it is queued again'
    const key = { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
    await releaseChanged(parts, key, source, detail)
    throw new DarkstreamError('conflict', detail)
  }
  if (source.state === 'missing') throw new DarkstreamError('not_found', 'the source is gone: it was moved or deleted')
  if (source.state === 'unmounted') {
    throw new DarkstreamError('unavailable', `nothing is at ${parts.root_path}: is its storage mounted?`)
  }
  const path = job.source_path
  try {
    await access(path, constants.R_OK)
    const { size, mtimeNs, mtimeMs, ino } = await stat(path, { bigint: true })
    return { path, size: Number(size), etag: `"${size}-${mtimeNs}-${ino}"`, mtime_ms: Number(mtimeMs) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new DarkstreamError('forbidden', `the master cannot read the source: ${code ?? message}`, { cause: error })
  }
}
