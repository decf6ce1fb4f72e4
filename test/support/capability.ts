import type { GpuCapability } from '../../src/contract/gpu.ts'

/** An encoder of H.264 that was proved, unless other is given. */
export function capability(changes: Partial<GpuCapability> = {}): GpuCapability {
  return {
    operation: 'encode',
    codec: 'h264',
    bit_depth: 8,
    by: 'h264_vulkan',
    proved: true,
    reason: null,
    limits: null,
    rate_control: 'vbr',
    quality_levels: 4,
    ...changes,
  }
}
