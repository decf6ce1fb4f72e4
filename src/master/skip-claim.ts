import type { Parsed, Reply } from '../contract/routes.ts'
import { discardAttempt } from './discard-attempt.ts'
import { answerRepeated } from './fail-claim.ts'
import { isOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { releaseChanged, releaseUnmounted } from './release-claim.ts'
import { checkSource } from './source-check.ts'

/**
 * Takes a worker's word that a source is not to be converted: the job is skipped and not asked for again. Sent twice, it
 * answers twice and acts once. What was said of a source that has changed meanwhile, or that cannot be seen because its
 * storage is not mounted, holds of nothing: the job is queued again.
 */
export async function skipClaim(parts: Parts, skip: Parsed<'skip'>): Promise<Reply<'skip'>> {
  const { store, onEvent } = parts
  const released = await releaseForSource(parts, skip)
  if (released) return { status: released.status }
  const job = await store.skip(skip, skip)
  if (!job) return answerRepeated(parts, skip, 'skipped')
  await discardAttempt(parts, job)
  onEvent({ type: 'skipped', job })
  return { status: job.status }
}

async function releaseForSource(parts: Parts, skip: Parsed<'skip'>) {
  const job = await parts.store.job(skip.job_id)
  if (!isOwner(job, skip)) return undefined
  const source = await checkSource(job, parts.root_path)
  if (source.state === 'changed') {
    const detail = 'the source changed while it was being looked at: it is queued again'
    return releaseChanged(parts, skip, source, detail)
  }
  return source.state === 'unmounted' ? releaseUnmounted(parts, skip, 'it was skipped') : undefined
}
