import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FoundSource } from '../../queue/store.ts'
import { errnoOf } from '../../util/errno.ts'
import { jobId } from '../outputs.ts'
import { mayBeInvalid } from './names.ts'
import type { Candidate, Settler, SourceState } from './settle.ts'
import { cannotRead } from './tally.ts'

/** Files per call of the store: larger transactions hold up the API on the same thread for more than 25 ms. */
const batchSize = 50

/** What taking files in needs to know, and whom it tells. */
export interface Intake {
  settler: Settler
  signal: AbortSignal
  /** Where the result may lie, why there can be none, and what the path alone decides. */
  outputs: (candidate: Candidate) => Pick<FoundSource, 'output_paths' | 'problem' | 'rule'>
  add: (sources: readonly FoundSource[]) => Promise<void>
  /** Told of each file that is there, taken or waited for. */
  seen: () => void
  /** Told of what cannot be read, a sentence. */
  problem: (sentence: string) => void
}

/** What a file looks like now, in the units in which a job records it. Rejects with the file system's error. */
export async function sourceState(source_path: string): Promise<SourceState & { is_file: boolean }> {
  const stats = await stat(source_path)
  return { source_size: stats.size, source_mtime_ms: Math.floor(stats.mtimeMs), is_file: stats.isFile() }
}

/**
 * Looks at each candidate: adds to the store what is settled, lets the settler remember what is young, forgets what is
 * gone. Lets other work of this thread through between batches. Rejects with what `add` rejects with.
 */
export async function takeIn(
  candidates: AsyncIterable<Candidate> | Iterable<Candidate>,
  intake: Intake,
): Promise<void> {
  let batch: Candidate[] = []
  for await (const candidate of candidates) {
    batch.push(candidate)
    if (batch.length < batchSize) continue
    await takeBatch(batch, intake)
    batch = []
  }
  await takeBatch(batch, intake)
}

async function takeBatch(batch: readonly Candidate[], intake: Intake): Promise<void> {
  const looked = await Promise.all(batch.map((candidate) => look(candidate, intake)))
  const sources = looked.filter((source) => source !== undefined)
  if (intake.signal.aborted) return
  if (sources.length > 0) await intake.add(sources)
  for (const source of sources) intake.settler.forget(source.source_path)
  await setImmediate()
}

/** The source that a candidate is; undefined when it is young, gone, not a file or not to be read. */
async function look(candidate: Candidate, intake: Intake): Promise<FoundSource | undefined> {
  const { source_path } = candidate
  try {
    const { is_file, ...state } = await sourceState(source_path)
    if (!is_file) return undefined
    intake.seen()
    if (!intake.settler.isSettled(candidate, state)) return undefined
    return { id: jobId(source_path), source_path, ...state, ...intake.outputs(candidate) }
  } catch (error) {
    intake.settler.forget(source_path)
    if (errnoOf(error) !== 'ENOENT') intake.problem(cannotRead(source_path, error))
    else if (mayBeInvalid(basename(source_path))) return unnameable(candidate, intake)
    return undefined
  }
}

/** A name that is not UTF-8 cannot be opened by any path that the contract's JSON could carry. */
function unnameable(candidate: Candidate, intake: Intake): FoundSource {
  intake.seen()
  const { source_path } = candidate
  const problem = 'the file name is not valid UTF-8; rename the file'
  return {
    id: jobId(source_path),
    source_path,
    source_size: 0,
    source_mtime_ms: 0,
    ...intake.outputs(candidate),
    problem,
  }
}
