import * as v from 'valibot'
import { GpuUsage } from '../../contract/gpu.ts'

/** Begins each line of readings; a driver may write to the same stream. */
const mark = '@darkstream-gpu '

const Reading = v.object({ id: v.string(), ...GpuUsage.entries })

/** What one look brought: a line for each GPU, also after a line that somebody did not finish. */
export function readingLines(readings: Record<string, GpuUsage>): string {
  const lines = Object.entries(readings).map(([id, usage]) => `${mark}${JSON.stringify({ id, ...usage })}\n`)
  return `\n${lines.join('')}`
}

/** The reading of a line; undefined for a line that is somebody else's, or was cut off. */
export function parseReading(line: string): { id: string; usage: GpuUsage } | undefined {
  if (!line.startsWith(mark)) return undefined
  try {
    const { id, ...usage } = v.parse(Reading, JSON.parse(line.slice(mark.length)))
    return { id, usage }
  } catch {
    return undefined
  }
}

/** A GPU as an argument of `watch-gpus`: `0000:01:00.0=10de=vulkan:0`. What is in an id does not matter. */
export function gpuArgument(gpu: { id: string; pci_address: string; vendor_id: number }): string {
  return `${gpu.pci_address}=${gpu.vendor_id.toString(16)}=${gpu.id}`
}

/** Reads a `gpuArgument` back; undefined for what is none. */
export function parseGpuArgument(text: string): { id: string; pci_address: string; vendor_id: number } | undefined {
  const [, pci_address, vendor, id] =
    /^([\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7])=([\da-f]{1,8})=(.+)$/is.exec(text) ?? []
  if (pci_address === undefined || vendor === undefined || id === undefined) return undefined
  return { id, pci_address, vendor_id: Number.parseInt(vendor, 16) }
}
