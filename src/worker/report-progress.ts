import type { Api } from '../contract/api.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Progress } from '../contract/job.ts'
import { jittered, sleep } from '../util/clock.ts'
import { isPassing } from './persist.ts'
import { Stopped } from './stopped.ts'

/** Milliseconds between two reports of progress: the master's answer to one is also how a cancelled job's worker learns of it. */
const reportIntervalMs = 1000

/** A job whose conversion runs. */
export interface RunningJob {
  claim: { job_id: string; worker_id: string; attempt: number }
  /** As far as is known now. */
  progress: () => Progress
  /** Why it cannot go on, a sentence; undefined while it can. */
  whyEnd: () => Promise<string | undefined>
}

/**
 * Tells the master how far a job is until it has ended. Ends it, by the reason that `ended` is aborted with, when it cannot go
 * on here, and when the master says that it is not this worker's any more.
 */
export async function reportProgress(
  { claim, progress, whyEnd }: RunningJob,
  { api, retry_pause_ms }: { api: Api; retry_pause_ms: number },
  ended: AbortController,
): Promise<void> {
  for (;;) {
    await sleep(reportIntervalMs, ended.signal)
    if (ended.signal.aborted) return
    const overgrown = await whyEnd()
    if (overgrown !== undefined) {
      return ended.abort(new ConversionError(overgrown, { class: 'retryable', step: progress().step }))
    }
    try {
      await api.reportProgress({ ...claim, progress: progress() }, ended.signal)
    } catch (error) {
      if (ended.signal.aborted) return
      if (isPassing(error)) await sleep(jittered(retry_pause_ms), ended.signal)
      else return ended.abort(new Stopped('lost', (error as Error).message))
    }
  }
}
