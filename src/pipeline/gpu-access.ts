import type { ConversionSettings } from '../contract/conversion.ts'
import type { Gpu } from '../contract/gpu.ts'
import type { PathCandidate } from './plan/video/paths.ts'
import type { Picture } from './plan/video/picture.ts'

/** The GPUs of a machine as one conversion meets them; whoever runs conversions side by side shares them out. */
export interface GpuAccess {
  /** `ffmpeg.gpu`: whether a conversion must, may or must not use a GPU. */
  mode: GpuMode
  /** Those that may be used now, best first; and, a sentence each, why others or none may. */
  usable: () => { gpus: readonly Gpu[]; reasons: readonly string[] }
  /** Puts the candidates in order: by measurement where there are several, which may take a while the first time. */
  rank: (question: RankQuestion, signal: AbortSignal) => Promise<RankedPaths>
  /** A place on the path's GPU; undefined while all are taken. */
  take: (path: PathCandidate) => GpuSlot | undefined
  /** Resolves when a place may have become free, or the signal aborts. */
  whenFree: (signal: AbortSignal) => Promise<void>
}

/** Which of several paths is best for one conversion. */
export interface RankQuestion {
  picture: Picture
  settings: ConversionSettings
  /** In the order of choice. */
  candidates: readonly PathCandidate[]
}

/** The candidates, best first, and why one with more on a GPU is not the first, a sentence each. */
export interface RankedPaths {
  candidates: PathCandidate[]
  reasons: string[]
}

export type GpuMode = 'require' | 'prefer' | 'off'

/** A place on a GPU, to be given back however the run ends. */
export interface GpuSlot {
  /** Gives the place back; a second time does nothing. */
  release: () => void
  /** The run stood still until it was killed: to be told before the place is given back. */
  hung: () => void
  /** The run went well. */
  succeeded: () => void
  /** The run failed, and not for the source's or the storage's sake. */
  failed: (failure: GpuFailure) => void
}

/** How a path on a GPU failed a job. */
export interface GpuFailure {
  reason: string
  /** Whether the GPU itself failed the job: none of its paths could do it. True once a job and GPU. */
  is_of_gpu: boolean
}
