import { expect, test } from 'bun:test'
import { parseGpuListing } from '../../../src/pipeline/prove/ffmpeg-lists.ts'

test('the Vulkan devices are read with and without levels in front', () => {
  const of5 = `[AVHWDeviceContext @ 0x5581] Supported validation layers:
[AVHWDeviceContext @ 0x5581] 	VK_LAYER_MESA_device_select
[AVHWDeviceContext @ 0x5581] GPU listing:
[AVHWDeviceContext @ 0x5581]     0: NVIDIA H200 (discrete) (0x2335)
[AVHWDeviceContext @ 0x5581]     1: Intel(R) UHD Graphics 770 (ADL-S GT1) (integrated) (0x4680)
[AVHWDeviceContext @ 0x5581] Device 1 selected: Intel(R) UHD Graphics 770 (ADL-S GT1) (integrated) (0x4680)
[AVHWDeviceContext @ 0x5581] Queue families:
[AVHWDeviceContext @ 0x5581]     0: graphics compute transfer sparse (queues: 1)
`
  expect(parseGpuListing(of5)).toEqual({
    gpus: [
      { number: 0, name: 'NVIDIA H200', type: 'discrete', device_id: 0x2335 },
      { number: 1, name: 'Intel(R) UHD Graphics 770 (ADL-S GT1)', type: 'integrated', device_id: 0x4680 },
    ],
    selected: 1,
  })
  const of9 = `[Vulkan @ 0x55] [verbose] Supported layers:
[Vulkan @ 0x55] [verbose] GPU listing:
[Vulkan @ 0x55] [verbose]     0: llvmpipe (LLVM 21.1.8, 256 bits) (software) (0x0)
[Vulkan @ 0x55] [verbose] Device 0 selected: llvmpipe (LLVM 21.1.8, 256 bits) (software) (0x0)
[Vulkan @ 0x55] [verbose] Queue families:
[Vulkan @ 0x55] [verbose]     0: graphics compute transfer sparse (queues: 1)
`
  expect(parseGpuListing(of9)).toEqual({
    gpus: [{ number: 0, name: 'llvmpipe (LLVM 21.1.8, 256 bits)', type: 'cpu', device_id: 0 }],
    selected: 0,
  })
})

test('an ffmpeg that opens nothing lists nothing', () => {
  expect(parseGpuListing('Device creation failed: -542398533.\n')).toEqual({ gpus: [], selected: null })
})
