import { expect, test } from 'bun:test'
import { ptr, read } from 'bun:ffi'
import { constants, structs } from '../../src/vulkan/layout.ts'
import { Memory } from '../../src/vulkan/memory.ts'
import {
  type AskCapabilities,
  decodeCapabilities,
  decodeEncodeCapabilities,
  videoClaims,
} from '../../src/vulkan/video.ts'

/** What the H200's driver 580.159.04 lists: two decoders, no encoder. */
const h200 = {
  extensions: [
    'VK_KHR_video_decode_h264',
    'VK_KHR_video_decode_h265',
    'VK_KHR_video_decode_queue',
    'VK_KHR_video_queue',
  ],
  families: [
    { queue_count: 16, operations: ['graphics', 'compute'], video_codec_operations: [] },
    { queue_count: 7, operations: ['video_decode'], video_codec_operations: ['decode_h264', 'decode_hevc'] },
  ],
}

function claimsOf(device: typeof h200, ask: AskCapabilities | undefined) {
  return videoClaims({ ...device, memory: new Memory((bytes) => BigInt(ptr(bytes))), ask })
}

test('a driver without Vulkan Video is not asked, for that would end the process', () => {
  const families = [{ queue_count: 1, operations: ['graphics'], video_codec_operations: [] }]
  const claims = claimsOf({ extensions: ['VK_KHR_swapchain'], families }, never)
  expect(claims.map(({ codec, operation }) => `${operation} ${codec}`)).toEqual([
    'decode h264',
    'decode hevc',
    'decode av1',
    'decode vp9',
    'encode h264',
    'encode hevc',
    'encode av1',
  ])
  expect(new Set(claims.map(({ reason }) => reason))).toEqual(
    new Set(['the driver has no Vulkan Video (VK_KHR_video_queue)']),
  )
  expect(claims.some(({ claimed }) => claimed)).toBe(false)
})

test('each codec that cannot be used says what is missing for it', () => {
  const claims = claimsOf(h200, () => constants.VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR)
  expect(claims.map(({ reason }) => reason)).toEqual([
    'the driver refuses each of its profiles (VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR)',
    'the driver refuses each of its profiles (VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR)',
    'the driver has no VK_KHR_video_decode_av1',
    'the driver has no VK_KHR_video_decode_vp9',
    'the driver has no encode queue',
    'the driver has no encode queue',
    'the driver has no encode queue',
  ])
  const onNoQueue = { ...h200, families: h200.families.slice(0, 1) }
  expect(claimsOf(onNoQueue, undefined)[0]?.reason).toBe('no queue of the device can decode it')
  expect(claimsOf(h200, undefined)[0]?.reason).toContain('vkGetPhysicalDeviceVideoCapabilitiesKHR')
})

test('a claim holds what all its profiles have in common, and leaves out those that are refused', () => {
  const asked: string[] = []
  const claims = claimsOf(h200, (profile, capabilities) => {
    const operation = profile.view.getUint32(16, true)
    const depth = profile.view.getUint32(24, true)
    asked.push(`${operation}/${depth}`)
    if (operation === 2 && depth === 4) return constants.VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR
    const wide = asked.length % 2 === 0
    for (const [offset, value] of [
      [48, wide ? 48 : 16],
      [52, 16],
      [56, wide ? 8192 : 4096],
      [60, 4096],
      [64, 17],
      [68, 16],
    ] as const) {
      capabilities.view.setUint32(offset, value, true)
    }
    return 0
  })
  expect(asked).toEqual(['1/1', '1/1', '1/1', '2/1', '2/4'])
  expect(claims[0]).toEqual({
    codec: 'h264',
    operation: 'decode',
    claimed: true,
    reason: null,
    profiles: [
      { name: 'baseline', bit_depth: 8 },
      { name: 'main', bit_depth: 8 },
      { name: 'high', bit_depth: 8 },
    ],
    min_width: 48,
    min_height: 16,
    max_width: 4096,
    max_height: 4096,
    max_references: 16,
    encode: null,
  })
  expect(claims[1]).toMatchObject({ claimed: true, profiles: [{ name: 'main', bit_depth: 8 }] })
})

test('what is asked and where the answer goes are chained as the specification says', () => {
  const chains: number[][] = []
  const families = [{ queue_count: 1, operations: ['video_encode'], video_codec_operations: ['encode_hevc'] }]
  const extensions = ['VK_KHR_video_queue', 'VK_KHR_video_encode_queue', 'VK_KHR_video_encode_h265']
  claimsOf({ extensions, families }, (profile, capabilities) => {
    chains.push(chainAt(Number(profile.address)), chainAt(Number(capabilities.address)))
    return 0
  })
  const profile = [structs.VkVideoProfileInfoKHR.type, structs.VkVideoEncodeH265ProfileInfoKHR.type]
  const capabilities = [
    structs.VkVideoCapabilitiesKHR.type,
    structs.VkVideoEncodeCapabilitiesKHR.type,
    structs.VkVideoEncodeH265CapabilitiesKHR.type,
  ]
  expect(chains).toEqual([profile, capabilities, profile, capabilities])
})

/** The `sType` of each struct of a chain, as C would walk it. */
function chainAt(address: number): number[] {
  return address === 0 ? [] : [read.u32(address, 0), ...chainAt(Number(read.u64(address, 8)))]
}

test('capabilities are read from where C writes them', () => {
  const view = new DataView(new ArrayBuffer(structs.VkVideoCapabilitiesKHR.size))
  for (const [index, value] of [144, 96, 8192, 4320, 17, 15].entries()) view.setUint32(48 + index * 4, value, true)
  expect(decodeCapabilities(view)).toEqual({
    min_width: 144,
    min_height: 96,
    max_width: 8192,
    max_height: 4320,
    max_references: 15,
  })
  const encode = new DataView(new ArrayBuffer(structs.VkVideoEncodeCapabilitiesKHR.size))
  encode.setUint32(20, 7, true)
  encode.setBigUint64(32, 800_000_000n, true)
  encode.setUint32(40, 4, true)
  expect(decodeEncodeCapabilities(encode)).toEqual({
    rate_control_modes: ['disabled', 'cbr', 'vbr'],
    max_bitrate: 800_000_000,
    quality_levels: 4,
  })
})

function never(): never {
  throw new Error('asked')
}
