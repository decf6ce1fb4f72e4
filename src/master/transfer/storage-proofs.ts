import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import { ownFolder } from '../publish.ts'

/** Milliseconds after which a proof that nobody confirmed is removed. */
const proofMs = 60_000

interface Proof {
  nonce: string
  path: string
  answer_path: string
  timer: ReturnType<typeof setTimeout>
}

/**
 * Finds out whether a worker has the very folder of the results before it: it must read what the master wrote there, and the
 * master what the worker wrote.
 */
export class StorageProofs {
  private readonly output_base: string
  private readonly proofs = new Map<string, Proof>()

  constructor(output_base: string) {
    this.output_base = output_base
  }

  /** @throws DarkstreamError `unavailable` when the master cannot write there itself */
  async begin(): Promise<{ proof_id: string; path: string; answer_path: string }> {
    const proof_id = crypto.randomUUID()
    // Where attempts have their folders: there a worker must be allowed to write.
    const folder = join(this.output_base, ownFolder, 'work')
    const path = join(folder, `proof-${proof_id}`)
    const proof = { nonce: crypto.randomUUID(), path, answer_path: `${path}-answer` }
    try {
      await makeShared(folder, this.output_base)
      await writeFile(path, proof.nonce, { flag: 'wx' })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new DarkstreamError('unavailable', `the master cannot write to ${folder}: ${code ?? message}`)
    }
    const timer = setTimeout(() => void this.remove(proof_id), proofMs)
    timer.unref()
    this.proofs.set(proof_id, { ...proof, timer })
    return { proof_id, path, answer_path: proof.answer_path }
  }

  /** Whether the worker read what the master wrote, and wrote what the master reads. */
  async confirm(proof_id: string, { read, written }: { read: string; written: string }): Promise<boolean> {
    const proof = this.proofs.get(proof_id)
    if (proof === undefined) return false
    const answer = await readFile(proof.answer_path, 'utf8').catch(() => undefined)
    await this.remove(proof_id)
    return read === proof.nonce && answer === written && written !== ''
  }

  /** Removes what is still open. */
  async stop(): Promise<void> {
    for (const proof_id of this.proofs.keys()) await this.remove(proof_id)
  }

  private async remove(proof_id: string): Promise<void> {
    const proof = this.proofs.get(proof_id)
    if (proof === undefined) return
    clearTimeout(proof.timer)
    this.proofs.delete(proof_id)
    for (const path of [proof.path, proof.answer_path]) await rm(path, { force: true }).catch(() => {})
  }
}

/** Makes a folder below another with the other's rights: workers under other users must be able to write where they could before. */
async function makeShared(folder: string, base: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true })
  if (firstMade === undefined) return
  const { mode } = await stat(base)
  for (let made = folder; made.length >= firstMade.length && made !== base; made = dirname(made)) {
    await chmod(made, mode & 0o7777).catch(() => {})
  }
}
