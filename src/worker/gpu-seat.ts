import type { Gpu } from '../contract/gpu.ts'
import { type GpuHealth, healthy } from './gpu-health.ts'

/** One run's place on a GPU. */
export interface SeatPlace {
  /** Gives it back; a second time does nothing. */
  release: () => void
  /** The run stood still until it was killed; whether fewer are decoded side by side from now on. */
  hung: () => boolean
}

/** What goes on on one GPU as one API reaches it. */
export class GpuSeat {
  readonly gpu: Gpu
  health: GpuHealth = healthy
  /** Runs that have a place. */
  active = 0
  /** Falls to one for good when a decode hangs beside others. */
  decodeSlots: number
  /** Those of the runs that decode on it, and whether another ever did beside them. */
  private readonly decoders = new Set<{ isShared: boolean }>()

  constructor(gpu: Gpu) {
    this.gpu = gpu
    this.decodeSlots = gpu.decode_slots
  }

  /** Decodes that it bears beside those that run. */
  get freeDecodes(): number {
    return Math.max(0, this.decodeSlots - this.decoders.size)
  }

  /** Whether all that it can do could be measured now. */
  get hasRoom(): boolean {
    return this.gpu.decode_slots === 0 || this.freeDecodes > 0
  }

  /** Takes a place. */
  take(isDecoding: boolean): SeatPlace {
    const run = { isShared: isDecoding && this.decoders.size > 0 }
    // What hangs beside another may be held up by it, whichever of the two came first.
    if (run.isShared) for (const other of this.decoders) other.isShared = true
    this.active++
    if (isDecoding) this.decoders.add(run)
    let isHeld = true
    return {
      release: () => {
        if (!isHeld) return
        isHeld = false
        this.active--
        this.decoders.delete(run)
      },
      hung: () => {
        if (!run.isShared || this.decodeSlots === 1) return false
        this.decodeSlots = 1
        return true
      },
    }
  }
}
