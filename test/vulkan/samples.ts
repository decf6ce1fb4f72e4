import type { DeviceFacts, VideoClaim } from '../../src/contract/vulkan.ts'
import type { Outcome } from '../../src/vulkan/outcome.ts'

/** A claim of a codec up to 4096x4096. */
export function claim(operation: VideoClaim['operation'], codec: VideoClaim['codec'], more: Partial<VideoClaim> = {}) {
  const sizes = { min_width: 48, min_height: 16, max_width: 4096, max_height: 4096, max_references: 16 }
  const profiles = [{ name: 'main', bit_depth: 8 }]
  return { codec, operation, claimed: true, reason: null, profiles, ...sizes, encode: null, ...more }
}

/** A codec that is not claimed. */
export function noClaim(operation: VideoClaim['operation'], codec: VideoClaim['codec'], reason: string) {
  const sizes = { min_width: 0, min_height: 0, max_width: 0, max_height: 0, max_references: 0 }
  return claim(operation, codec, { claimed: false, reason, profiles: [], ...sizes })
}

/** A discrete GPU with nothing but what a test gives it. */
export function facts(more: Partial<DeviceFacts> = {}): DeviceFacts {
  return {
    index: 0,
    name: 'NVIDIA H200',
    type: 'discrete',
    device_id: 0x2335,
    vendor_id: 0x10de,
    driver_name: 'NVIDIA',
    driver_version: '580.159.04',
    api_version: '1.4.312',
    uuid: null,
    pci_address: '0000:00:06.0',
    memory_heaps: [
      { size_bytes: 150_754_820_096, device_local: true },
      { size_bytes: 101_334_000_000, device_local: false },
    ],
    supported_extensions: ['VK_KHR_video_queue'],
    queue_families: [],
    video: [],
    ...more,
  }
}

/** A probe that came to its end. */
export function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    loader: { library: 'libvulkan.so.1', version: '1.3.239' },
    layers: [],
    devices: [],
    problem: null,
    validation: null,
    drivers: [],
    loader_messages: [],
    ...more,
  }
}
