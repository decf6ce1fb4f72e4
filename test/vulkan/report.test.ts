import { expect, test } from 'bun:test'
import { vulkanReport } from '../../src/vulkan/report.ts'
import { claim, facts, noClaim, outcome } from './samples.ts'

const encoding = facts({
  index: 1,
  name: 'AMD Radeon RX 7800',
  video: [
    claim('decode', 'h264', { max_width: 8192 }),
    noClaim('encode', 'h264', 'the driver has no VK_KHR_video_encode_h264'),
    claim('encode', 'hevc', { max_width: 7680, max_height: 4320 }),
    claim('encode', 'av1'),
  ],
})

test('the default device tells what its driver claims, in the fields of the contract', () => {
  const report = vulkanReport(outcome({ devices: [facts({ type: 'integrated' }), encoding] }), 'auto')
  expect(report).toMatchObject({
    supported: true,
    device: {
      index: 1,
      name: 'AMD Radeon RX 7800',
      type: 'discrete',
      device_id: 0x2335,
      vendor_id: 0x10de,
      driver_version: '580.159.04',
      available: true,
    },
    api_version: '1.4.312',
    supported_extensions: ['VK_KHR_video_queue'],
    can_encode: true,
    can_decode: true,
    max_width: 7680,
    max_height: 4320,
    preferred_format: 'hevc',
    default_device: 'AMD Radeon RX 7800',
    problem: null,
  })
  expect(report.devices.map(({ available, can_encode }) => [available, can_encode])).toEqual([
    [true, false],
    [true, true],
  ])
})

test('sizes are those of the decoders when there is no encoder', () => {
  const decoding = facts({ video: [claim('decode', 'h264'), claim('decode', 'hevc', { max_width: 8192 })] })
  expect(vulkanReport(outcome({ devices: [decoding] }), 'auto')).toMatchObject({
    can_encode: false,
    can_decode: true,
    max_width: 8192,
    max_height: 4096,
    preferred_format: '',
  })
})

test('a processor counts only when it is named', () => {
  const devices = [facts({ name: 'llvmpipe', type: 'cpu' })]
  const unasked = vulkanReport(outcome({ devices }), 'auto')
  expect(unasked).toMatchObject({ supported: false, device: null, default_device: '', problem: { code: 'only_cpu' } })
  expect(unasked.devices).toMatchObject([{ name: 'llvmpipe', available: false }])
  expect(vulkanReport(outcome({ devices }), 'llvm')).toMatchObject({
    supported: true,
    device: { available: true },
    problem: null,
  })
})

test('devices that were seen before a crash are shown, and not used', () => {
  const problem = { code: 'crashed', message: 'a Vulkan driver crashed (SIGSEGV)' } as const
  const report = vulkanReport(outcome({ devices: [encoding], problem }), 'auto')
  expect(report).toMatchObject({ supported: false, api_version: '', max_width: 0, problem })
  expect(report.devices).toMatchObject([{ name: 'AMD Radeon RX 7800', available: false, can_encode: true }])
})
