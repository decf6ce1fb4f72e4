import { expect, test } from 'bun:test'
import { capabilityLines, cardsText, figureTable, setAsideLines, unusedReason } from '../../src/cli/gpu-text.ts'
import { figure, gpuReport, gpuState, unproved } from '../queue/gpu-samples.ts'
import { capability } from '../support/capability.ts'

test('what a GPU has proved is told by codec and bit depth, and what it has not with each reason once', () => {
  const noQueue = 'the driver has no encode queue for it'
  const decode = { operation: 'decode', by: 'vulkan' } as const
  const filter = { operation: 'filter', codec: null, by: 'scale_vulkan' } as const
  const lines = capabilityLines({
    capabilities: [
      capability(filter),
      capability(),
      capability({ codec: 'hevc', bit_depth: 10 }),
      capability({ codec: 'hevc' }),
      unproved(noQueue, { codec: 'av1' }),
      unproved(noQueue, { codec: 'av1', bit_depth: 10 }),
      unproved(noQueue, { codec: 'vp9' }),
      unproved('the frames differ', { bit_depth: 10 }),
      unproved('no Vulkan Video', decode),
      unproved('no Vulkan Video', { ...decode, codec: 'mpeg2' }),
    ],
  })
  expect(lines).toEqual([
    'Encoding: H.264, H.265 (proved: H.264 8 bit, H.265 8 and 10 bit; not AV1 8 and 10 bit, VP9 8 bit: the driver has no encode queue for it; not H.264 10 bit: the frames differ)',
    'Decoding: none: no Vulkan Video',
    'Filtering: scale_vulkan (proved: scale_vulkan 8 bit)',
  ])
})

test('a GPU that proved nothing is told with each of its reasons, and what was not tried is not told', () => {
  const capabilities = [unproved('too old'), unproved('no queue', { codec: 'mpeg2' })]
  expect(capabilityLines({ capabilities })).toEqual(['Encoding: none: H.264 8 bit: too old; mpeg2 8 bit: no queue'])
  expect(capabilityLines({ capabilities: [] })).toEqual([])
})

test('measured paths are told together for each kind of source, the best as a job would choose it first', () => {
  const cpu = { encoder: 'libx264', decode: 'cpu', filter: 'cpu', device: null, gpu_id: null } as const
  const text = figureTable([
    figure(),
    figure({ source_codec: 'h264', size_class: 'hd', fps: 9.25 }),
    figure({
      encoder: 'libx264',
      filter: 'cpu',
      fps: null,
      start_ms: null,
      cpu_ms_per_frame: null,
      reason: 'out of\nmemory',
    }),
    figure({ ...cpu, fps: 45, cpu_ms_per_frame: 120 }),
    figure({ processes: 3, fps: 180 }),
  ])
  expect(text).toBe(
    String.raw`from and to              ran on                                          gpu       side by side  fps each  start  CPU ms/frame
H.265 8 bit uhd to h264  h264_vulkan on a GPU, decoded and scaled there  vulkan:0  1             240       0.9 s  0.84          best
                         h264_vulkan on a GPU, decoded and scaled there  vulkan:0  3             180       0.9 s  0.84
                         libx264 on the CPU                              -         1             45        0.9 s  120.00
                         libx264 on the CPU, decoded on a GPU            vulkan:0  1             -         -      -             failed: out of\nmemory
H.264 8 bit hd to h264   h264_vulkan on a GPU, decoded and scaled there  vulkan:0  1             9.3       0.9 s  0.84          best
`,
  )
  expect(figureTable([])).toBe('')
})

test('a path is not the best of its kind when none of them ran', () => {
  const text = figureTable([figure({ fps: null, cpu_ms_per_frame: null })])
  expect(text).toContain('failed: no reason given')
  expect(text).not.toContain('best')
})

test('a card that is reached by several APIs is told once, with the highest of its figures', () => {
  const gpus = [
    gpuState({ usage: 5 }),
    gpuState({ id: 'vaapi', usage: 50.6 }),
    gpuState({ id: 'nvenc', pci_address: null, usage: 99 }),
    gpuState({ id: 'vulkan:1', pci_address: '0000:02:00.0', usage: null }),
    gpuState({ id: 'qsv', name: 'another', pci_address: null, usage: 0 }),
  ]
  expect(cardsText(gpuReport({ gpus }))).toBe('a GPU 51%, a GPU, another 0%')
})

test('a GPU that is set aside is told by its name, and by its id where several have that name', () => {
  const set_aside = { seconds_left: 120, failures: 3, reason: 'the driver hung' }
  const aside = gpuState({ set_aside })
  expect(setAsideLines(gpuReport())).toEqual([])
  expect(setAsideLines(gpuReport({ gpus: [aside] }))).toEqual([
    'GPU a GPU set aside for 2 minutes after 3 failures: the driver hung',
  ])
  const second = gpuState({ id: 'nvenc', set_aside: { ...set_aside, seconds_left: 30, failures: 1 } })
  expect(setAsideLines(gpuReport({ gpus: [gpuState(), second] }))).toEqual([
    'GPU a GPU (nvenc) set aside for 30 s after 1 failure: the driver hung',
  ])
})

test('why no GPU is used is told where one was to be used', () => {
  const problem = 'no driver that loads'
  expect(unusedReason(gpuReport())).toBeUndefined()
  expect(unusedReason(gpuReport({ mode: 'off', problem }))).toBeUndefined()
  expect(unusedReason(gpuReport({ mode: 'prefer', problem }))).toBe('no GPU is used: no driver that loads')
  expect(unusedReason(gpuReport({ mode: 'require', problem }))).toBe('no GPU is used: no driver that loads')
})
