import { expect, test } from 'bun:test'
import { parseEncoders, parseFilters, parseGpuListing } from '../../../src/pipeline/prove/ffmpeg-lists.ts'

const encoders = `Encoders:
 V..... = Video
 A..... = Audio
 .F.... = Frame-level multithreading
 .....D = Supports direct rendering method 1
 ------
 V....D a64multi             Multicolor charset for Commodore 64 (codec a64_multi)
 VF...D ffv1                 FFmpeg video codec #1
 V..X.. vc2                  SMPTE VC-2
 V....D h264_vulkan          H.264/AVC (Vulkan) (codec h264)
 V..... prores_ks_vulkan     Apple ProRes (iCodec Pro) (codec prores)
 A....D aac                  AAC (Advanced Audio Coding)
`

test('the names of encoders are read from their list', () => {
  const names = ['a64multi', 'ffv1', 'vc2', 'h264_vulkan', 'prores_ks_vulkan', 'aac']
  expect([...parseEncoders(encoders)]).toEqual(names)
})

test('the names of filters are read from the list of three columns, up to 7.1, and of two, in 9.0', () => {
  const upTo7 = `Filters:
  T.. = Timeline support
  ..C = Command support
  A = Audio input/output
  | = Source or sink filter
 ... abench            A->A       Benchmark part of a filtergraph.
 TSC scale             V->V       Scale the input video size.
 ... scale_vulkan      V->V       Scale Vulkan frames
 ... testsrc2          |->V       Generate another test pattern.
 ... concat            N->N       Concatenate audio and video streams.
`
  const of9 = `Filters:
  T.. = Timeline support
  .S. = Slice threading
  | = Source or sink filter
  ------
 TS aap               AA->A      Apply Affine Projection algorithm.
 .. scale_vulkan      V->V       Scale Vulkan frames
`
  expect([...parseFilters(upTo7)]).toEqual(['abench', 'scale', 'scale_vulkan', 'testsrc2', 'concat'])
  expect([...parseFilters(of9)]).toEqual(['aap', 'scale_vulkan'])
})

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
