import { expect, test } from 'bun:test'
import type { ListedGpu } from '../../../src/pipeline/prove/ffmpeg-lists.ts'
import { type KnownDevice, matchDevices } from '../../../src/pipeline/prove/match-devices.ts'

const h200 = { name: 'NVIDIA H200', type: 'discrete', device_id: 0x2335 } as const
const intel = { name: 'Intel UHD', type: 'integrated', device_id: 0x4680 } as const
const lavapipe = { name: 'llvmpipe (LLVM 15.0.6, 256 bits)', type: 'cpu', device_id: 0 } as const

const device = (index: number, what: Omit<KnownDevice, 'index'>): KnownDevice => ({ index, ...what })
const listed = (number: number, what: Omit<ListedGpu, 'number'>): ListedGpu => ({ number, ...what })

test('devices are found by name and id wherever ffmpeg lists them', () => {
  const ours = [device(0, h200), device(1, intel)]
  expect(matchDevices(ours, [listed(0, intel), listed(1, h200)])).toEqual([1, 0])
})

test('of two equal devices each has its own number', () => {
  const theirs = [listed(0, intel), listed(1, h200), listed(2, h200)]
  expect(matchDevices([device(0, h200), device(1, h200), device(2, intel)], theirs)).toEqual([2, 1, 0])
  expect(matchDevices([device(0, h200), device(3, h200)], theirs)).toEqual([1, 2])
})

test('the second of two equal devices is the second, though the first may not be used', () => {
  expect(matchDevices([device(1, h200)], [listed(0, h200), listed(1, h200)])).toEqual([1])
})

test('a name that a newer driver changed is no hindrance', () => {
  const newer = { ...lavapipe, name: 'llvmpipe (LLVM 21.1.8, 256 bits)' }
  expect(matchDevices([device(0, h200), device(1, lavapipe)], [listed(0, newer), listed(1, h200)])).toEqual([1, 0])
})

test('a device that ffmpeg does not list has no number', () => {
  expect(matchDevices([device(0, h200), device(1, intel)], [listed(0, intel)])).toEqual([undefined, 0])
  expect(matchDevices([device(0, h200)], [])).toEqual([undefined])
})
