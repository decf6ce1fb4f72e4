import { describe, expect, test } from 'bun:test'
import type { ConversionSettings } from '../../../../src/contract/conversion.ts'
import type { Gpu } from '../../../../src/contract/gpu.ts'
import { videoPaths } from '../../../../src/pipeline/plan/video/paths.ts'
import { planPicture } from '../../../../src/pipeline/plan/video/picture.ts'
import type { VideoStream } from '../../../../src/pipeline/probe/media-info.ts'
import { capability } from '../../../support/capability.ts'
import { gpu, settings, video } from '../../samples.ts'

const box = { width: 1280, height: 720 }

function choiceOf(
  source: Partial<VideoStream> = {},
  wanted: Partial<ConversionSettings> = {},
  gpus: readonly Gpu[] = [gpu()],
) {
  const picture = planPicture(video(source), settings({ target_resolution: box, ...wanted }))
  const { candidates, reasons } = videoPaths(picture, gpus)
  const paths = candidates.map(({ decode, filter, encoder, device }) =>
    [decode, filter, encoder, device ?? '-'].join(' '),
  )
  return { paths, reasons, candidates }
}

describe('with a card that can do it all', () => {
  test('everything on it comes first, then the mixed paths, the CPU last, and there is nothing to explain', () => {
    expect(choiceOf()).toMatchObject({
      paths: [
        'vulkan vulkan h264_vulkan Card',
        'cpu vulkan h264_vulkan Card',
        'cpu cpu h264_vulkan Card',
        'vulkan vulkan libx264 Card',
        'vulkan cpu libx264 Card',
        'cpu cpu libx264 -',
      ],
      reasons: [],
    })
  })

  test('a picture that needs no scaling has fewer ways', () => {
    expect(choiceOf({ width: 1280, height: 720 }).paths).toEqual([
      'vulkan vulkan h264_vulkan Card',
      'cpu cpu h264_vulkan Card',
      'vulkan cpu libx264 Card',
      'cpu cpu libx264 -',
    ])
  })

  test('ten bits stay on it all the way to hevc', () => {
    const source = { codec: 'hevc', bit_depth: 10, pixel_format: 'yuv420p10le' }
    expect(choiceOf(source, { codec: 'hevc' }).paths[0]).toBe('vulkan vulkan hevc_vulkan Card')
  })
})

describe('what would not come out as the CPU’s does is left to the CPU, with the reason', () => {
  test.each([
    ['interlaced', { is_interlaced: true }, 'the picture is interlaced'],
    ['rotated', { rotation: 90 }, 'the picture is rotated'],
  ] as const)('%s', (_, source, reason) => {
    const { paths, reasons } = choiceOf(source)
    expect(paths).toEqual(['cpu cpu h264_vulkan Card', 'cpu cpu libx264 -'])
    expect(reasons).toEqual([`Card does not decode it: ${reason}`, `Card does not scale it: ${reason}`])
  })

  test('full range and transparency are filtered on the CPU and may be decoded on the card', () => {
    const full = choiceOf({ pixel_format: 'yuvj420p' })
    expect(full.paths).toEqual(['cpu cpu h264_vulkan Card', 'vulkan cpu libx264 Card', 'cpu cpu libx264 -'])
    expect(full.reasons).toEqual(['Card does not scale it: its pixels have the full range'])
    expect(choiceOf({ has_alpha: true }).reasons).toEqual(['Card does not scale it: the picture is transparent'])
  })

  test('ten bits that become eight are converted on the CPU', () => {
    const { paths, reasons } = choiceOf({ codec: 'hevc', bit_depth: 10, pixel_format: 'yuv420p10le' })
    expect(paths).toContain('vulkan cpu libx264 Card')
    expect(paths).not.toContain('vulkan vulkan h264_vulkan Card')
    expect(reasons).toEqual(['Card does not scale it: its pixels change from yuv420p10le to yuv420p'])
  })

  test('4:2:2 and 4:4:4 are decoded on the CPU', () => {
    const { paths, reasons } = choiceOf({ pixel_format: 'yuv444p' })
    expect(paths).toEqual(['cpu cpu h264_vulkan Card', 'cpu cpu libx264 -'])
    expect(reasons[0]).toBe('Card does not decode it: its pixels are yuv444p')
  })

  test('sizes beyond what the driver takes', () => {
    expect(choiceOf({ width: 64, height: 64 }).reasons).toEqual([
      'Card does not encode it: it takes 128 x 128 to 4096 x 4096 pixels, not 64 x 64',
      'Card does not decode it: it takes 128 x 128 to 4096 x 4096 pixels, not 64 x 64',
    ])
    expect(choiceOf({ width: 8192, height: 4608 }).paths).toContain('cpu vulkan h264_vulkan Card')
  })

  test('ffv1 in sizes that only its newest level could hold', () => {
    const { paths, reasons } = choiceOf({}, { codec: 'ffv1' })
    expect(paths.at(-1)).toBe('cpu cpu ffv1 -')
    expect(paths.some((path) => path.includes('ffv1_vulkan'))).toBe(false)
    expect(reasons).toEqual([
      'Card does not encode it: ffv1_vulkan takes yuv420p in multiples of 128 x 128 pixels, not 1280 x 720',
    ])
    expect(choiceOf({ width: 1280, height: 640 }, { codec: 'ffv1' }).paths[0]).toBe('vulkan vulkan ffv1_vulkan Card')
  })
})

describe('what is decoded stays on the card only in a pixel format that the encoder takes', () => {
  const tenBits = { codec: 'hevc', bit_depth: 10, pixel_format: 'yuv420p10le', width: 2560, height: 1280 }
  const ffv1 = { codec: 'ffv1', by: 'ffv1_vulkan', rate_control: null, quality_levels: 0 }
  const tenBitEncoder = capability({ ...ffv1, bit_depth: 10 })
  const decoder = capability({ ...ffv1, operation: 'decode', by: 'vulkan' })
  const card = gpu({ capabilities: [...gpu().capabilities, tenBitEncoder, decoder] })

  test('ffv1_vulkan takes what engines leave of eight bits, and not of ten', () => {
    const eight = choiceOf({ width: 1280, height: 640 }, { codec: 'ffv1' }, [card])
    expect(eight).toMatchObject({ reasons: [], candidates: [{ decode: 'vulkan', encoder: 'ffv1_vulkan' }, {}, {}, {}] })
    const { paths, reasons } = choiceOf(tenBits, { codec: 'ffv1' }, [card])
    expect(paths).toEqual([
      'cpu vulkan ffv1_vulkan Card',
      'cpu cpu ffv1_vulkan Card',
      'vulkan vulkan ffv1 Card',
      'vulkan cpu ffv1 Card',
      'cpu cpu ffv1 -',
    ])
    expect(reasons).toEqual(['Card does not do all of it: ffv1_vulkan does not take p010le, as it is decoded'])
  })

  test('the engines for video take no planes as shaders decode them', () => {
    const { paths, reasons } = choiceOf({ codec: 'ffv1' }, {}, [card])
    expect(paths[0]).toBe('cpu vulkan h264_vulkan Card')
    expect(reasons).toEqual(['Card does not do all of it: h264_vulkan does not take yuv420p, as it is decoded'])
  })
})

describe('what a card has not proved', () => {
  test('is not used, and the proof’s reason is told', () => {
    const reason = 'the driver has no encode queue'
    const card = gpu({ capabilities: [capability({ proved: false, reason, bit_depth: 0 })] })
    expect(choiceOf({}, {}, [card])).toMatchObject({
      paths: ['cpu cpu libx264 -'],
      reasons: [
        `Card does not encode it: ${reason}`,
        'Card does not decode it: there is no Vulkan decoder of h264 with 8 bits',
        'Card does not scale it: scaling with 8 bits was not tried',
      ],
    })
  })

  test('leaves the rest of it to help the CPU', () => {
    const all = gpu()
    const decoder = { ...all, capabilities: all.capabilities.filter(({ operation }) => operation !== 'encode') }
    const { paths, reasons } = choiceOf({}, {}, [decoder])
    expect(paths).toEqual(['vulkan vulkan libx264 Card', 'vulkan cpu libx264 Card', 'cpu cpu libx264 -'])
    expect(reasons).toEqual(['Card does not encode it: it was not tried'])
  })

  test('of a codec that its API has no encoder for', () => {
    expect(choiceOf({}, { codec: 'vp9', container: 'mkv' }).reasons).toEqual([
      'Card does not encode it: vulkan has no encoder of vp9',
    ])
  })
})

test('other engines stand between Vulkan’s encoders and the CPU', () => {
  const nvenc = gpu({
    id: 'nvenc',
    api: 'nvenc',
    name: 'Card',
    capabilities: [capability({ by: 'h264_nvenc', rate_control: null, quality_levels: 0 })],
  })
  const { paths } = choiceOf({}, {}, [gpu(), nvenc])
  expect(paths.slice(2)).toEqual([
    'cpu cpu h264_vulkan Card',
    'cpu cpu h264_nvenc Card',
    'vulkan vulkan libx264 Card',
    'vulkan cpu libx264 Card',
    'cpu cpu libx264 -',
  ])
})

test('of several cards the first comes first, and one that does it all excuses the others', () => {
  const second = gpu({ id: 'vulkan:1', selector: '1', name: 'Second', capabilities: [] })
  const { candidates, reasons } = choiceOf({}, {}, [gpu(), second])
  expect(candidates[0]?.gpu?.selector).toBe('0')
  expect(reasons).toEqual([])
})
