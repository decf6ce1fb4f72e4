import { chmodSync, writeFileSync } from 'node:fs'
import type { Gpu, GpuCapability } from '../../../src/contract/gpu.ts'
import type { VideoClaim, VulkanDevice } from '../../../src/contract/vulkan.ts'

const noSizes = { min_width: 0, min_height: 0, max_width: 0, max_height: 0, max_references: 0 }

/** A claim of a codec that the driver does not make. */
export function noClaim(operation: VideoClaim['operation'], codec: VideoClaim['codec']): VideoClaim {
  const reason = 'the driver has no Vulkan Video (VK_KHR_video_queue)'
  return { codec, operation, claimed: false, reason, profiles: [], ...noSizes, encode: null }
}

/** A claim of 8 bits of a codec up to 4096x4096. */
export function claim(operation: VideoClaim['operation'], codec: VideoClaim['codec']): VideoClaim {
  const sizes = { min_width: 16, min_height: 16, max_width: 4096, max_height: 4096, max_references: 4 }
  const encode = { rate_control_modes: ['disabled' as const, 'cbr' as const], max_bitrate: 1e8, quality_levels: 4 }
  const rest = { claimed: true, reason: null, profiles: [{ name: 'main', bit_depth: 8 }], ...sizes }
  return { codec, operation, ...rest, encode: operation === 'encode' ? encode : null }
}

/** Lavapipe as our probe sees it, by a name that no version of it has, and as if it had these claims. */
export function lavapipeDevice(claims: VideoClaim[] = [], more: Partial<VulkanDevice> = {}): VulkanDevice {
  const decoders = (['h264', 'hevc', 'av1', 'vp9'] as const).map((codec) => noClaim('decode', codec))
  const encoders = (['h264', 'hevc', 'av1'] as const).map((codec) => noClaim('encode', codec))
  return {
    index: 0,
    name: 'llvmpipe (LLVM 0.0.0, 0 bits)',
    type: 'cpu',
    device_id: 0,
    vendor_id: 0x10005,
    driver_name: 'llvmpipe',
    driver_version: 'Mesa 0.0.0',
    api_version: '1.3.0',
    uuid: null,
    pci_address: null,
    memory_heaps: [],
    supported_extensions: [],
    queue_families: [],
    video: [...claims, ...decoders, ...encoders],
    available: true,
    can_encode: false,
    can_decode: false,
    max_width: 0,
    max_height: 0,
    preferred_format: '',
    ...more,
  }
}

/** Something that a GPU has proved. */
export function proved(operation: GpuCapability['operation'], codec: string | null, bit_depth: number): GpuCapability {
  const nothing = { reason: null, limits: null, rate_control: null, quality_levels: 0 }
  return {
    operation,
    codec,
    bit_depth,
    by: operation === 'filter' ? 'scale_vulkan' : 'vulkan',
    proved: true,
    ...nothing,
  }
}

/** A GPU that has proved these things. */
export function gpu(capabilities: GpuCapability[] = [], more: Partial<Gpu> = {}): Gpu {
  const known = { type: 'cpu', driver_version: '', pci_address: null, vendor_id: null, decode_slots: 1 } as const
  return { id: 'vulkan:0', api: 'vulkan', selector: '0', name: 'llvmpipe', ...known, capabilities, ...more }
}

/** Writes a shell script that stands in front of a real ffmpeg. */
export function script(path: string, lines: readonly string[]): string {
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'))
  chmodSync(path, 0o755)
  return path
}
