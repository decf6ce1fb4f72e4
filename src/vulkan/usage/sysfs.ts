import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Glob } from 'bun'
import type { GpuUsage } from '../../contract/gpu.ts'
import { percent, share, unknownUsage } from './values.ts'

/** Where to read, and the time. */
export interface SysfsOptions {
  /** The folder that sysfs is mounted at: `/sys` but in tests. */
  root: string
  /** Milliseconds of a clock that never goes back. */
  now: () => number
}

/**
 * The use of an AMD GPU at a PCI address (`0000:03:00.0`), as the amdgpu driver has it. VCN is one engine that both
 * encodes and decodes, so its use is the use of either. Null is what this driver or card does not tell.
 *
 * Sources: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst of Linux; `gpu_busy_percent` and `vcn_busy_percent`
 * (of some chips only, see default_attr_update in amdgpu_pm.c) are whole percents, `mem_info_vram_*` are bytes.
 */
export function amdUsage(root: string, pciAddress: string): GpuUsage {
  const device = deviceFolder(root, pciAddress)
  const read = (name: string) => readNumber(join(device, name))
  // To read a busy share would wake a card that sleeps, and keep it awake.
  const isAsleep = sleeps(device)
  const vcn = isAsleep ? null : percent(read('vcn_busy_percent'))
  return {
    usage: isAsleep ? 0 : percent(read('gpu_busy_percent')),
    encoder_usage: vcn,
    decoder_usage: vcn,
    memory_usage: share(read('mem_info_vram_used'), read('mem_info_vram_total')),
  }
}

/**
 * Measures Intel GPUs by PCI address, each over the time since the look before: how much of it the busiest of a GPU's
 * parts (graphics, media) was awake. The first look is null, so is all that this driver does not tell: what encodes and
 * decodes, and the memory.
 *
 * Sources: drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c and drivers/gpu/drm/xe/xe_gt_idle.c of Linux. Both count the
 * milliseconds that a part was powered down for want of work (RC6, MC6). An older i915 has only the counter in `power/`;
 * in a newer one that is the least of all parts'.
 */
export function intelMeter({ root, now }: SysfsOptions): (pciAddress: string) => GpuUsage {
  const before = new Map<string, { idle_ms: number; at: number }>()
  return (pciAddress) => {
    const device = deviceFolder(root, pciAddress)
    // What sleeps is not busy; to read a counter would wake it, and the counters may stand still meanwhile.
    if (sleeps(device)) {
      for (const path of before.keys()) if (path.startsWith(`${device}/`)) before.delete(path)
      return { ...unknownUsage, usage: 0 }
    }
    const shares = idleCounters(device).flatMap((path) => busyShare(path) ?? [])
    return { ...unknownUsage, usage: shares.length === 0 ? null : Math.max(...shares) }
  }

  function busyShare(path: string): number | null {
    const last = before.get(path)
    const idle_ms = readNumber(path)
    const at = now()
    if (idle_ms === null) {
      before.delete(path)
      return null
    }
    before.set(path, { idle_ms, at })
    if (!last || at <= last.at) return null
    // Counter and clock are not read at one instant: a GPU that idles may seem to do so for longer than the time. One
    // that seems busy for longer has a counter that started over (i915's does after 49 days of idling): no share.
    return share(Math.max(0, at - last.at - (idle_ms - last.idle_ms)), at - last.at)
  }
}

const idleCounterPlaces = [
  'drm/card*/gt/gt*/rc6_residency_ms',
  'tile*/gt*/gtidle/idle_residency_ms',
  'drm/card*/power/rc6_residency_ms',
] as const

/** The counters of the first place that has any. One that does not count, with RC6 switched off, is none. */
function idleCounters(device: string): string[] {
  for (const place of idleCounterPlaces) {
    const found = matches(place, device).map((path) => join(device, path))
    if (found.length > 0) return found.filter((path) => readNumber(join(dirname(path), 'rc6_enable')) !== 0)
  }
  return []
}

function matches(pattern: string, folder: string): string[] {
  try {
    return [...new Glob(pattern).scanSync({ cwd: folder })]
  } catch {
    return []
  }
}

/** Documentation/ABI/testing/sysfs-devices-power: what `power/runtime_status` says, `active` or `suspended` mostly. */
function sleeps(device: string): boolean {
  return readText(join(device, 'power', 'runtime_status')) === 'suspended'
}

function deviceFolder(root: string, pciAddress: string): string {
  return join(root, 'bus', 'pci', 'devices', pciAddress.toLowerCase())
}

/** A whole number, 0 or more; null for anything else, and when there is no such file or the driver refuses. */
function readNumber(path: string): number | null {
  const text = readText(path)
  return text !== null && /^\d{1,19}$/.test(text) ? Number(text) : null
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}
