import { open } from 'node:fs/promises'
import type { Handlers } from '../../contract/api.ts'
import { DarkstreamError } from '../../contract/error.ts'
import type { Job } from '../../contract/job.ts'
import type { ClaimKey } from '../../queue/store.ts'
import { isOwner, notOwner } from '../ownership.ts'
import type { Parts } from '../parts.ts'
import { sourceOf } from './file-desk.ts'
import { SourceSums } from './source-sums.ts'
import type { StorageProofs } from './storage-proofs.ts'

/** Of a source's beginning, enough to tell two films apart. */
const headBytes = 65_536

type FileCalls = 'beginStorageProof' | 'confirmStorage' | 'sourceMark' | 'sourceSum'

/** What workers ask about files before and after their bytes travel. */
export function fileCalls(parts: Parts, proofs: StorageProofs): Pick<Handlers, FileCalls> {
  const sums = new SourceSums()
  return {
    beginStorageProof: async () => proofs.begin(),

    async confirmStorage({ worker_id, proof_id, ...told }) {
      const is_same = await proofs.confirm(proof_id, told)
      parts.log.debug(`worker ${worker_id} ${is_same ? 'has' : 'does not have'} the results' folder before it`)
      return { is_same }
    },

    async sourceMark(claim) {
      const { path, size, mtime_ms } = await sourceOf(parts, await owned(claim))
      return { size, mtime_ms, head_sha256: await headSum(path), head_bytes: headBytes }
    },

    async sourceSum({ etag, ...claim }) {
      const source = await sourceOf(parts, await owned(claim))
      const sha256 = source.etag === etag ? await sums.get(source) : null
      // What is read while it changes has the sum of neither.
      const isSame = source.etag === etag && (await sourceOf(parts, await owned(claim))).etag === etag
      if (!isSame) throw new DarkstreamError('damaged', 'the source changed while it was read')
      return { sha256 }
    },
  }

  async function owned(claim: ClaimKey): Promise<Job> {
    const job = await parts.store.job(claim.job_id)
    if (!isOwner(job, claim)) throw notOwner(job, claim.job_id, claim.worker_id)
    return job
  }
}

async function headSum(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return new Bun.CryptoHasher('sha256').update(buffer.subarray(0, bytesRead)).digest('hex')
  } finally {
    await file.close()
  }
}
