import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import type { VulkanDevice } from '../../contract/vulkan.ts'
import { type Clock, systemClock } from '../../util/clock.ts'
import type { Tools } from '../tools.ts'

/** Raised when what a proof or a measurement shows changes its meaning; older files then count for nothing. */
const proofVersion = 2

/** Anything that JSON holds; what it was worked out from, and so when it holds no longer. */
export type CacheKey = Readonly<Record<string, unknown>>

const Envelope = v.object({
  key: v.string(),
  /** Milliseconds since 1970. */
  kept_at: v.number(),
  /** Milliseconds after which it counts for nothing; null when it never does. */
  lasts_ms: v.nullable(v.number()),
  value: v.unknown(),
})

/** What was kept for a key; undefined when there is nothing, nothing of use, or its time is over. */
export async function readCached<T>(
  folder: string,
  kind: 'proof' | 'figures',
  key: CacheKey,
  schema: v.GenericSchema<unknown, T>,
  clock: Clock = systemClock,
): Promise<T | undefined> {
  const text = keyText(key)
  try {
    const envelope = v.parse(Envelope, JSON.parse(await readFile(fileOf(folder, kind, text), 'utf8')))
    return envelope.key === text && isOfUse(envelope, clock()) ? v.parse(schema, envelope.value) : undefined
  } catch {
    // Not there, cut off, or another program's: then it is worked out again.
    return undefined
  }
}

/** A clock that was set back makes a time of the future, which tells nothing. */
function isOfUse({ kept_at, lasts_ms }: v.InferOutput<typeof Envelope>, now: number): boolean {
  return lasts_ms === null || (now >= kept_at && now < kept_at + lasts_ms)
}

/** How long something is to be kept, and from when on. */
export interface KeepOptions {
  /** Milliseconds; null, as unless told, for as long as its key is the same. */
  lasts_ms?: number | null
  clock?: Clock
}

/** Keeps a value for a key. A folder that cannot be written to keeps nothing. */
export async function writeCached(
  folder: string,
  kind: 'proof' | 'figures',
  key: CacheKey,
  value: unknown,
  { lasts_ms = null, clock = systemClock }: KeepOptions = {},
): Promise<void> {
  const text = keyText(key)
  const path = fileOf(folder, kind, text)
  const part = `${path}.${randomUUID()}.part`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(part, JSON.stringify({ key: text, kept_at: clock(), lasts_ms, value }))
    await rename(part, path)
  } catch {
    // A full or read-only disk costs the next start some time, and nothing else.
    await rm(part, { force: true }).catch(() => {})
  }
}

function keyText(key: CacheKey): string {
  return JSON.stringify({ proof_version: proofVersion, ...key })
}

function fileOf(folder: string, kind: string, text: string): string {
  return join(folder, `${kind}-${createHash('sha256').update(text).digest('hex').slice(0, 32)}.json`)
}

/** What tells one build of FFmpeg, on one processor, from another. */
export async function machineKey(tools: Tools): Promise<CacheKey> {
  const programs = await Promise.all([tools.ffmpeg_path, tools.ffprobe_path].map((path) => programKey(path)))
  const processors = cpus()
  return { ffmpeg: { version: tools.version, programs }, cpu: [processors[0]?.model ?? '', processors.length] }
}

/** A program that is not there has a key of its own kind: it will fail. */
async function programKey(path: string): Promise<CacheKey> {
  try {
    const real = await realpath(path)
    const { size, mtimeMs } = await stat(real)
    return { path: real, size_bytes: size, mtime_ms: mtimeMs }
  } catch {
    return { path }
  }
}

/** What tells one device with one driver from another, with all that its driver claims of video. */
export function deviceKey(device: VulkanDevice): CacheKey {
  const { index, name, type, vendor_id, device_id, uuid, pci_address, video } = device
  const { driver_name, driver_version, api_version } = device
  const driver = { driver_name, driver_version, api_version }
  return { index, name, type, vendor_id, device_id, uuid, pci_address, driver, video }
}
