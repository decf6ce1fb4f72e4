import { expect, test } from 'bun:test'
import { parseEncoders, parseFilters } from '../../../src/pipeline/ffmpeg/parse-names.ts'

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
