import { expect, test } from 'bun:test'
import type { Gpu, PathFigure } from '../../../../src/contract/gpu.ts'
import type { PathCandidate } from '../../../../src/pipeline/plan/video/paths.ts'
import { rankPaths } from '../../../../src/pipeline/plan/video/rank-paths.ts'

const gpu: Gpu = {
  id: 'vulkan:0',
  api: 'vulkan',
  selector: '0',
  name: 'GPU',
  type: 'discrete',
  driver_version: '',
  pci_address: null,
  vendor_id: null,
  capabilities: [],
  decode_slots: 1,
}
const whole = path({ decode: 'vulkan', filter: 'vulkan', encoder: 'h264_vulkan', gpu })
const encoding = path({ encoder: 'h264_vulkan', gpu })
const decoding = path({ decode: 'vulkan', gpu })
const cpu = path({})
const all = [whole, encoding, decoding, cpu]

function path(more: Partial<PathCandidate>): PathCandidate {
  const device = more.gpu ? 'GPU' : null
  return { decode: 'cpu', filter: 'cpu', encoder: 'libx264', device, gpu: null, proof: null, ...more }
}

function figure(
  of: PathCandidate,
  fps: number | null,
  cpu_ms: number | null,
  more: Partial<PathFigure> = {},
): PathFigure {
  const { decode, filter, encoder, device } = of
  const kind = { source_codec: 'h264', bit_depth: 8, size_class: 'hd', codec: 'h264', processes: 2 } as const
  const gpu_id = of.gpu?.id ?? null
  const measured = {
    fps,
    start_ms: fps === null ? null : 100,
    cpu_ms_per_frame: cpu_ms,
    reason: fps === null ? 'it failed' : null,
  }
  return { decode, filter, encoder, device, gpu_id, ...kind, ...measured, ...more }
}

const table: [title: string, figures: PathFigure[], frames: number | null, ranked: PathCandidate[]][] = [
  ['without figures the order stays', [], null, all],
  [
    'the fastest is first',
    [figure(cpu, 400, 9), figure(whole, 100, 1), figure(encoding, 200, 5), figure(decoding, 300, 5)],
    null,
    [cpu, decoding, encoding, whole],
  ],
  [
    'of equally fast ones the one that leaves most of the CPU',
    [figure(cpu, 100, 20), figure(whole, 91, 1), figure(encoding, 95, 10), figure(decoding, 89, 1)],
    null,
    [whole, encoding, cpu, decoding],
  ],
  [
    'an unknown cost of CPU time is the highest',
    [figure(cpu, 100, null), figure(whole, 99, 30), figure(encoding, 98, null), figure(decoding, 50, 1)],
    null,
    [whole, cpu, encoding, decoding],
  ],
  [
    'equal to the last is not equal to the first',
    [figure(whole, 100, 9), figure(encoding, 92, 5), figure(decoding, 84, 1), figure(cpu, 1, 1)],
    null,
    [encoding, whole, decoding, cpu],
  ],
  [
    'those without a figure follow, those that failed are last',
    [figure(whole, null, null), figure(cpu, 10, 10)],
    null,
    [cpu, encoding, decoding, whole],
  ],
  [
    'another GPU is another path',
    [figure(whole, 1, 1, { gpu_id: 'vulkan:1' }), figure(cpu, 10, 10)],
    null,
    [cpu, whole, encoding, decoding],
  ],
  [
    'a clip is over before what starts slowly has begun',
    [figure(whole, 500, 1, { start_ms: 1000 }), figure(cpu, 200, 9, { start_ms: 100 })],
    100,
    [cpu, whole, encoding, decoding],
  ],
  [
    'a film is not',
    [figure(whole, 500, 1, { start_ms: 1000 }), figure(cpu, 200, 9, { start_ms: 100 })],
    100_000,
    [whole, cpu, encoding, decoding],
  ],
]

test.each(table)('%s', (_, figures, frames, ranked) => {
  expect(rankPaths(all, figures, frames)).toEqual(ranked)
})
