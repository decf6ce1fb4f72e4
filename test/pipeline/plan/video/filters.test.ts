import { describe, expect, test } from 'bun:test'
import type { ConversionSettings } from '../../../../src/contract/conversion.ts'
import type { VideoEncoder } from '../../../../src/pipeline/plan/video/encoders.ts'
import { videoFilters } from '../../../../src/pipeline/plan/video/filters.ts'
import { planPicture } from '../../../../src/pipeline/plan/video/picture.ts'
import type { VideoStream } from '../../../../src/pipeline/probe/media-info.ts'
import { settings, video } from '../../samples.ts'

const box = { width: 1280, height: 720 }

function filtersOf(
  [decode, filter, encoder]: readonly ['cpu' | 'vulkan', 'cpu' | 'vulkan', VideoEncoder],
  source: Partial<VideoStream> = {},
  wanted: Partial<ConversionSettings> = {},
): string {
  const picture = planPicture(video(source), settings({ target_resolution: box, ...wanted }))
  return videoFilters(picture, { decode, filter, encoder }).join(',')
}

const tenBits = { codec: 'hevc', bit_depth: 10, pixel_format: 'yuv420p10le' }

describe('frames stay where they are as long as they can', () => {
  test('all on the GPU', () => {
    expect(filtersOf(['vulkan', 'vulkan', 'h264_vulkan'])).toBe('scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1')
    expect(filtersOf(['vulkan', 'vulkan', 'hevc_vulkan'], tenBits, { codec: 'hevc' })).toBe(
      'scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1',
    )
  })

  test('decoded and scaled on the GPU, encoded on the CPU', () => {
    expect(filtersOf(['vulkan', 'vulkan', 'libx264'])).toBe(
      'scale_vulkan=w=1280:h=720,setparams=range=tv,hwdownload,format=nv12,setsar=1,format=yuv420p',
    )
    expect(filtersOf(['vulkan', 'vulkan', 'libx265'], tenBits, { codec: 'hevc' })).toBe(
      'scale_vulkan=w=1280:h=720,setparams=range=tv,hwdownload,format=p010le,setsar=1,format=yuv420p10le',
    )
  })

  test('only decoded on the GPU', () => {
    expect(filtersOf(['vulkan', 'cpu', 'libx264'])).toBe(
      'hwdownload,format=nv12,scale=w=1280:h=720,setsar=1,format=yuv420p',
    )
    expect(filtersOf(['vulkan', 'cpu', 'libx264'], tenBits)).toBe(
      'hwdownload,format=p010le,scale=w=1280:h=720,setsar=1,format=yuv420p',
    )
  })

  test('decoded on the CPU, scaled and encoded on the GPU', () => {
    expect(filtersOf(['cpu', 'vulkan', 'h264_vulkan'])).toBe(
      'format=nv12,hwupload,scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1',
    )
    expect(filtersOf(['cpu', 'vulkan', 'ffv1_vulkan'], {}, { codec: 'ffv1' })).toBe(
      'format=yuv420p,hwupload,scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1',
    )
  })

  test('only encoded on the GPU', () => {
    expect(filtersOf(['cpu', 'cpu', 'h264_vulkan'])).toBe('scale=w=1280:h=720,setsar=1,format=nv12,hwupload')
    expect(filtersOf(['cpu', 'cpu', 'hevc_vaapi'], tenBits, { codec: 'hevc' })).toBe(
      'scale=w=1280:h=720,setsar=1,format=p010le,hwupload',
    )
    expect(filtersOf(['cpu', 'cpu', 'h264_nvenc'])).toBe('scale=w=1280:h=720,setsar=1,format=nv12')
    expect(filtersOf(['cpu', 'cpu', 'prores_ks_vulkan'], {}, { codec: 'prores' })).toBe(
      'scale=w=1280:h=720,setsar=1,format=yuv422p10le,hwupload',
    )
  })
})

describe('what the CPU filters goes up last', () => {
  test('deinterlaced, and with its range put right', () => {
    const source = { is_interlaced: true, pixel_format: 'yuvj420p' }
    expect(filtersOf(['cpu', 'cpu', 'h264_vulkan'], source)).toBe(
      'bwdif=mode=send_frame:parity=auto:deint=interlaced,scale=w=1280:h=720:out_range=tv,setsar=1,format=nv12,setparams=range=tv,hwupload',
    )
  })
})

describe('a picture that is made much smaller', () => {
  test('is halved on the way, so that every pixel counts', () => {
    expect(filtersOf(['vulkan', 'vulkan', 'h264_vulkan'], { width: 3840, height: 2160 })).toBe(
      'scale_vulkan=w=1920:h=1080,scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1',
    )
    expect(filtersOf(['vulkan', 'vulkan', 'h264_vulkan'], { width: 7680, height: 4320 })).toBe(
      'scale_vulkan=w=3840:h=2160,scale_vulkan=w=1920:h=1080,scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1',
    )
  })

  test('is not scaled at all when it fits', () => {
    expect(filtersOf(['vulkan', 'vulkan', 'h264_vulkan'], { width: 1280, height: 720 })).toBe(
      'setparams=range=tv,setsar=1',
    )
  })

  test('gets square pixels in the same step', () => {
    const source = { width: 720, height: 576, sample_aspect: 64 / 45 }
    expect(filtersOf(['vulkan', 'vulkan', 'h264_vulkan'], source)).toBe(
      'scale_vulkan=w=1024:h=576,setparams=range=tv,setsar=1',
    )
  })
})
