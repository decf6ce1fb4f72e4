import type { ConversionSettings } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import { pathText, type RanOn } from '../contract/gpu.ts'
import { EncodeError } from './encode-error.ts'
import type { GpuAccess, GpuSlot } from './gpu-access.ts'
import { type PathCandidate, videoPaths } from './plan/video/paths.ts'
import type { Picture } from './plan/video/picture.ts'
import { SkippedError } from './skipped-error.ts'

/** What is to be converted, and the GPUs that may help. */
export interface PathRequest {
  picture: Picture
  settings: ConversionSettings
  access: GpuAccess
  /** Why the filters on the CPU cannot do what it needs; missing or null when they can. */
  cpu_filter_lack?: ConversionError | null
}

/** A GPU that failed in this attempt. Whether it is to blame shows when another path has done what it could not. */
interface FailedRun {
  path: PathCandidate
  slot: GpuSlot
  reason: string
  /** Whether the source looks damaged to a decoder on the CPU. */
  is_of_source: boolean
  /** Whether a GPU's decoder only does not take this kind of source. */
  is_unsupported: boolean
}

/**
 * Runs a conversion on the best path that is free, and on the next one at once when a GPU fails at it. What fails for
 * the storage's sake, or on the CPU too, is thrown; the error then tells what it ran on. A `SkippedError` is thrown, too,
 * with what it ran on: that path has done well. `run` says when its encode is
 * over, so that the next conversion need not wait for the check of this one's result.
 */
export async function onBestPath<T>(
  { access, ...asked }: PathRequest,
  signal: AbortSignal,
  run: (path: PathCandidate, onEncoded: () => void) => Promise<T>,
): Promise<{ value: T; ran_on: RanOn }> {
  const { candidates, reasons } = await rankedPaths({ access, ...asked }, signal)
  const failures: FailedRun[] = []
  let left = candidates
  for (;;) {
    const { path, slot, busy } = await takeFirstFree(left, access, signal)
    const ranOn = (): RanOn => ({
      decode: path.decode,
      filter: path.filter,
      encoder: path.encoder,
      device: path.device,
      fell_back: failures.length > 0,
      reasons: [...new Set([...failures.map(({ reason }) => reason), ...reasons, ...busy])],
    })
    try {
      const value = await run(path, () => slot?.release())
      slot?.succeeded()
      blame(failures, path)
      return { value, ran_on: ranOn() }
    } catch (error) {
      if (error instanceof SkippedError) {
        slot?.succeeded()
        blame(failures, path)
        error.ran_on = ranOn()
      }
      if (!(error instanceof ConversionError) || signal.aborted) throw error
      if (error.report.step === 'encode' || error.report.step === 'verify') error.ran_on = ranOn()
      left = left.filter((other) => other !== path)
      if (slot === undefined || isOfStorage(error)) throw error
      const reason = `${pathText(path)} failed: ${error.message}`
      const kind = error instanceof EncodeError ? error.kind : 'other'
      if (kind === 'stall') {
        slot.hung()
        // What hung one path hangs the next, and each takes its time.
        left = left.filter((other) => other.gpu?.id !== path.gpu?.id)
      }
      failures.push({
        path,
        slot,
        reason,
        is_of_source: path.decode === 'cpu' && error.report.class === 'permanent',
        is_unsupported: kind === 'unsupported',
      })
      if (left.length === 0) throw allFailed(error, failures)
    } finally {
      slot?.release()
    }
  }
}

/**
 * The paths that a conversion may take here, best first, and why there is no better one.
 *
 * @throws ConversionError (step plan) when a GPU is required and none can do it, or a filter is missing that none makes up for
 */
export async function rankedPaths(
  { picture, settings, access, cpu_filter_lack: lack = null }: PathRequest,
  signal: AbortSignal,
) {
  const usable = access.usable()
  const choice = videoPaths(picture, usable.gpus)
  const isRequired = access.mode === 'require'
  const able = choice.candidates.filter(({ filter }) => filter !== 'cpu' || lack === null)
  const allowed = isRequired ? able.filter(({ gpu }) => gpu !== null) : able
  if (able.length === 0 && lack !== null) throw lack
  const reasons = [...usable.reasons, ...choice.reasons]
  if (allowed.length === 0) {
    const why = reasons.length === 0 ? 'there is none' : reasons.join('; ')
    throw new ConversionError(`ffmpeg.gpu is require, and no GPU can convert it: ${why}`, {
      class: 'worker',
      step: 'plan',
    })
  }
  const ranked = await access.rank({ picture, settings, candidates: allowed }, signal)
  signal.throwIfAborted()
  return { candidates: ranked.candidates, reasons: [...reasons, ...ranked.reasons] }
}

/** The first path whose GPU has a place, and which better ones had none; with none but GPUs to choose from, once one has. */
async function takeFirstFree(
  paths: readonly PathCandidate[],
  access: GpuAccess,
  signal: AbortSignal,
): Promise<{ path: PathCandidate; slot: GpuSlot | undefined; busy: string[] }> {
  for (;;) {
    const busy: string[] = []
    for (const path of paths) {
      if (path.gpu === null) return { path, slot: undefined, busy }
      const slot = access.take(path)
      if (slot) return { path, slot, busy }
      busy.push(`${pathText(path)}: all places are taken`)
    }
    await access.whenFree(signal)
    signal.throwIfAborted()
  }
}

/** Tells each path that it failed, and each GPU once that it could not do the job at all, unless another of its paths could. */
function blame(failures: readonly FailedRun[], good: PathCandidate | undefined): void {
  const blamed = new Set(good?.gpu ? [good.gpu.id] : [])
  for (const { path, slot, reason, is_unsupported } of failures) {
    const id = path.gpu?.id ?? ''
    slot.failed({ reason, is_of_gpu: !is_unsupported && !blamed.has(id) })
    if (!is_unsupported) blamed.add(id)
  }
}

/** No other path would write to a full disk or read from a broken one. */
function isOfStorage(error: ConversionError): boolean {
  return error.report.step === 'stage' || (error instanceof EncodeError && error.kind === 'storage')
}

/**
 * Every GPU failed, and the CPU may not be asked. What a decoder on the CPU found damaged is nobody else's fault; a GPU's
 * own word is not enough for that.
 */
function allFailed(error: ConversionError, failures: readonly FailedRun[]): ConversionError {
  const isOfSource = failures.some(({ is_of_source }) => is_of_source)
  if (!isOfSource) blame(failures, undefined)
  const told = new ConversionError(`${error.message} (ffmpeg.gpu is require, so the CPU was not tried)`, {
    ...error.report,
    class: isOfSource ? 'permanent' : 'worker',
  })
  told.ran_on = error.ran_on
  return told
}
