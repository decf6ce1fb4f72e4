import type { GpuUsage } from '../../contract/gpu.ts'

/** Nothing could be read. */
export const unknownUsage: GpuUsage = {
  usage: null,
  encoder_usage: null,
  decoder_usage: null,
  memory_usage: null,
}

/** A reading as a percentage with one decimal; null for what is none: no reading, or one outside 0 to 100. */
export function percent(value: number | null): number | null {
  if (value === null || !(value >= 0 && value <= 100)) return null
  return Math.round(value * 10) / 10
}

/** How much of `whole` is `part`, in percent; null when either is unknown, or there is no whole. */
export function share(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : percent((100 * part) / whole)
}
