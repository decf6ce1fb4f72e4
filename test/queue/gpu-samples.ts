import type { GpuCapability, GpuReport, GpuState, PathFigure, RanOn } from '../../src/contract/gpu.ts'
import { capability } from '../support/capability.ts'

/** What an attempt ran on: all of it on a GPU, unless other is given. */
export function ranOn(changes: Partial<RanOn> = {}): RanOn {
  return {
    decode: 'vulkan',
    filter: 'vulkan',
    encoder: 'h264_vulkan',
    device: 'a GPU',
    fell_back: false,
    reasons: [],
    ...changes,
  }
}

/** The CPU alone, after a GPU failed at it unless other is given. */
export function onCpu(changes: Partial<RanOn> = {}): RanOn {
  return {
    decode: 'cpu',
    filter: 'cpu',
    encoder: 'libx264',
    device: null,
    fell_back: true,
    reasons: ['the GPU ran out of memory'],
    ...changes,
  }
}

/** The same that was not proved. */
export function unproved(reason: string, changes: Partial<GpuCapability> = {}): GpuCapability {
  return capability({ proved: false, reason, limits: null, rate_control: null, quality_levels: 0, ...changes })
}

/** A GPU that is used and tells all of its engines. */
export function gpuState(changes: Partial<GpuState> = {}): GpuState {
  return {
    id: 'vulkan:0',
    api: 'vulkan',
    selector: '0',
    name: 'a GPU',
    type: 'discrete',
    driver_version: '580.159.04',
    pci_address: '0000:01:00.0',
    vendor_id: 0x10de,
    capabilities: [capability()],
    decode_slots: 4,
    usage: 87.5,
    encoder_usage: 40,
    decoder_usage: 12,
    memory_usage: 3,
    slots: 3,
    active_jobs: 2,
    set_aside: null,
    ...changes,
  }
}

/** The whole path on the GPU, one conversion at a time. */
export function figure(changes: Partial<PathFigure> = {}): PathFigure {
  return {
    decode: 'vulkan',
    filter: 'vulkan',
    encoder: 'h264_vulkan',
    device: 'a GPU',
    gpu_id: 'vulkan:0',
    source_codec: 'hevc',
    bit_depth: 8,
    size_class: 'uhd',
    codec: 'h264',
    processes: 1,
    fps: 240,
    start_ms: 900,
    cpu_ms_per_frame: 0.84,
    reason: null,
    ...changes,
  }
}

/** A worker with one GPU in use. */
export function gpuReport(changes: Partial<GpuReport> = {}): GpuReport {
  return { mode: 'prefer', gpus: [gpuState()], problem: null, has_gpu: true, figures: [figure()], ...changes }
}
