import type { QueueFamily, VideoClaim, VulkanCodec } from '../contract/vulkan.ts'
import { bitNames } from './decode.ts'
import { constants as c, type Layout, resultName, structs } from './layout.ts'
import type { Block, Memory } from './memory.ts'

/** One profile that is asked for, always with 4:2:0 chroma. */
interface Profile {
  name: string
  bit_depth: 8 | 10
  /** `StdVideoH264ProfileIdc` and its like. */
  idc: number
}

/** One codec in one direction, and the structs by which a driver is asked for it. */
interface Codec {
  codec: VulkanCodec
  operation: 'decode' | 'encode'
  extension: string
  /** `VkVideoCodecOperationFlagBitsKHR` */
  bit: number
  profile: Layout
  capabilities: Layout
  profiles: readonly Profile[]
}

const h264Profiles: readonly Profile[] = [
  { name: 'baseline', bit_depth: 8, idc: c.STD_VIDEO_H264_PROFILE_IDC_BASELINE },
  { name: 'main', bit_depth: 8, idc: c.STD_VIDEO_H264_PROFILE_IDC_MAIN },
  { name: 'high', bit_depth: 8, idc: c.STD_VIDEO_H264_PROFILE_IDC_HIGH },
]
const hevcProfiles: readonly Profile[] = [
  { name: 'main', bit_depth: 8, idc: c.STD_VIDEO_H265_PROFILE_IDC_MAIN },
  { name: 'main-10', bit_depth: 10, idc: c.STD_VIDEO_H265_PROFILE_IDC_MAIN_10 },
]
const av1Profiles: readonly Profile[] = [
  { name: 'main', bit_depth: 8, idc: c.STD_VIDEO_AV1_PROFILE_MAIN },
  { name: 'main', bit_depth: 10, idc: c.STD_VIDEO_AV1_PROFILE_MAIN },
]
const vp9Profiles: readonly Profile[] = [
  { name: 'profile-0', bit_depth: 8, idc: c.STD_VIDEO_VP9_PROFILE_0 },
  { name: 'profile-2', bit_depth: 10, idc: c.STD_VIDEO_VP9_PROFILE_2 },
]

/** All that Vulkan Video has of what we convert. */
const codecs: readonly Codec[] = [
  {
    codec: 'h264',
    operation: 'decode',
    extension: 'VK_KHR_video_decode_h264',
    bit: c.VK_VIDEO_CODEC_OPERATION_DECODE_H264_BIT_KHR,
    // Its pictureLayout stays 0, VK_VIDEO_DECODE_H264_PICTURE_LAYOUT_PROGRESSIVE_KHR.
    profile: structs.VkVideoDecodeH264ProfileInfoKHR,
    capabilities: structs.VkVideoDecodeH264CapabilitiesKHR,
    profiles: h264Profiles,
  },
  {
    codec: 'hevc',
    operation: 'decode',
    extension: 'VK_KHR_video_decode_h265',
    bit: c.VK_VIDEO_CODEC_OPERATION_DECODE_H265_BIT_KHR,
    profile: structs.VkVideoDecodeH265ProfileInfoKHR,
    capabilities: structs.VkVideoDecodeH265CapabilitiesKHR,
    profiles: hevcProfiles,
  },
  {
    codec: 'av1',
    operation: 'decode',
    extension: 'VK_KHR_video_decode_av1',
    bit: c.VK_VIDEO_CODEC_OPERATION_DECODE_AV1_BIT_KHR,
    // Its filmGrainSupport stays false.
    profile: structs.VkVideoDecodeAV1ProfileInfoKHR,
    capabilities: structs.VkVideoDecodeAV1CapabilitiesKHR,
    profiles: av1Profiles,
  },
  {
    codec: 'vp9',
    operation: 'decode',
    extension: 'VK_KHR_video_decode_vp9',
    bit: c.VK_VIDEO_CODEC_OPERATION_DECODE_VP9_BIT_KHR,
    profile: structs.VkVideoDecodeVP9ProfileInfoKHR,
    capabilities: structs.VkVideoDecodeVP9CapabilitiesKHR,
    profiles: vp9Profiles,
  },
  {
    codec: 'h264',
    operation: 'encode',
    extension: 'VK_KHR_video_encode_h264',
    bit: c.VK_VIDEO_CODEC_OPERATION_ENCODE_H264_BIT_KHR,
    profile: structs.VkVideoEncodeH264ProfileInfoKHR,
    capabilities: structs.VkVideoEncodeH264CapabilitiesKHR,
    profiles: h264Profiles,
  },
  {
    codec: 'hevc',
    operation: 'encode',
    extension: 'VK_KHR_video_encode_h265',
    bit: c.VK_VIDEO_CODEC_OPERATION_ENCODE_H265_BIT_KHR,
    profile: structs.VkVideoEncodeH265ProfileInfoKHR,
    capabilities: structs.VkVideoEncodeH265CapabilitiesKHR,
    profiles: hevcProfiles,
  },
  {
    codec: 'av1',
    operation: 'encode',
    extension: 'VK_KHR_video_encode_av1',
    bit: c.VK_VIDEO_CODEC_OPERATION_ENCODE_AV1_BIT_KHR,
    profile: structs.VkVideoEncodeAV1ProfileInfoKHR,
    capabilities: structs.VkVideoEncodeAV1CapabilitiesKHR,
    profiles: av1Profiles,
  },
]

/** `vkGetPhysicalDeviceVideoCapabilitiesKHR` of one device: a `VkResult` for a profile and what is written for it. */
export type AskCapabilities = (profile: Block, capabilities: Block) => number

/**
 * What a device claims of each codec. `ask` is called only for what its extensions and a queue family both name: a
 * driver without Vulkan Video (llvmpipe) ends the process when it is asked. Undefined: the loader has no such function.
 */
export function videoClaims(request: {
  extensions: readonly string[]
  families: readonly QueueFamily[]
  memory: Memory
  ask: AskCapabilities | undefined
}): VideoClaim[] {
  const { extensions, families, memory, ask } = request
  return codecs.map((codec) => {
    const reason = whyNot(codec, extensions, families)
    if (reason !== null) return nothing(codec, reason)
    if (!ask) return nothing(codec, 'the loader has no vkGetPhysicalDeviceVideoCapabilitiesKHR')
    const answers = codec.profiles.map((profile) => askProfile(codec, profile, memory, ask))
    return merge(codec, answers)
  })
}

function whyNot(
  { codec, operation, extension }: Codec,
  extensions: readonly string[],
  families: readonly QueueFamily[],
) {
  const has = (name: string) => extensions.includes(name)
  if (!has('VK_KHR_video_queue')) return 'the driver has no Vulkan Video (VK_KHR_video_queue)'
  if (!has(`VK_KHR_video_${operation}_queue`)) return `the driver has no ${operation} queue`
  if (!has(extension)) return `the driver has no ${extension}`
  const isOnQueue = families.some((family) => family.video_codec_operations.includes(`${operation}_${codec}`))
  return isOnQueue ? null : `no queue of the device can ${operation} it`
}

function nothing({ codec, operation }: Codec, reason: string): VideoClaim {
  const sizes = { min_width: 0, min_height: 0, max_width: 0, max_height: 0, max_references: 0 }
  return { codec, operation, claimed: false, reason, profiles: [], ...sizes, encode: null }
}

/** Of `stdProfile` or `stdProfileIdc`, the first field after the head in the profile info of every codec. */
const profileOffset = structs.VkVideoDecodeH264ProfileInfoKHR.offsets.stdProfileIdc

/** What a driver answered for one profile; a number is the `VkResult` of a refusal. */
type Answer = { profile: Profile; claim: Omit<VideoClaim, 'codec' | 'operation' | 'claimed' | 'reason' | 'profiles'> }

function askProfile(codec: Codec, profile: Profile, memory: Memory, ask: AskCapabilities): Answer | number {
  const own = memory.struct(codec.profile)
  own.view.setUint32(profileOffset, profile.idc, true)
  const asked = memory.struct(structs.VkVideoProfileInfoKHR, own)
  const depth =
    profile.bit_depth === 8 ? c.VK_VIDEO_COMPONENT_BIT_DEPTH_8_BIT_KHR : c.VK_VIDEO_COMPONENT_BIT_DEPTH_10_BIT_KHR
  const at = structs.VkVideoProfileInfoKHR.offsets
  asked.view.setUint32(at.videoCodecOperation, codec.bit, true)
  asked.view.setUint32(at.chromaSubsampling, c.VK_VIDEO_CHROMA_SUBSAMPLING_420_BIT_KHR, true)
  asked.view.setUint32(at.lumaBitDepth, depth, true)
  asked.view.setUint32(at.chromaBitDepth, depth, true)
  const isEncoder = codec.operation === 'encode'
  const direction = isEncoder ? structs.VkVideoEncodeCapabilitiesKHR : structs.VkVideoDecodeCapabilitiesKHR
  const middle = memory.struct(direction, memory.struct(codec.capabilities))
  const capabilities = memory.struct(structs.VkVideoCapabilitiesKHR, middle)
  const result = ask(asked, capabilities)
  if (result !== 0) return result
  const encode = isEncoder ? decodeEncodeCapabilities(middle.view) : null
  return { profile, claim: { ...decodeCapabilities(capabilities.view), encode } }
}

/** Reads `VkVideoCapabilitiesKHR`. */
export function decodeCapabilities(view: DataView): Omit<Answer['claim'], 'encode'> {
  const at = structs.VkVideoCapabilitiesKHR.offsets
  return {
    min_width: view.getUint32(at.minCodedExtent, true),
    min_height: view.getUint32(at.minCodedExtent + 4, true),
    max_width: view.getUint32(at.maxCodedExtent, true),
    max_height: view.getUint32(at.maxCodedExtent + 4, true),
    max_references: view.getUint32(at.maxActiveReferencePictures, true),
  }
}

/** Reads `VkVideoEncodeCapabilitiesKHR`. */
export function decodeEncodeCapabilities(view: DataView): NonNullable<VideoClaim['encode']> {
  const at = structs.VkVideoEncodeCapabilitiesKHR.offsets
  const modes = view.getUint32(at.rateControlModes, true)
  return {
    rate_control_modes: rateControlModes.filter((mode) => bitNames(modes, rateControlBits).includes(mode)),
    max_bitrate: Number(view.getBigUint64(at.maxBitrate, true)),
    quality_levels: view.getUint32(at.maxQualityLevels, true),
  }
}

const rateControlModes = ['disabled', 'cbr', 'vbr'] as const
const rateControlBits = {
  disabled: c.VK_VIDEO_ENCODE_RATE_CONTROL_MODE_DISABLED_BIT_KHR,
  cbr: c.VK_VIDEO_ENCODE_RATE_CONTROL_MODE_CBR_BIT_KHR,
  vbr: c.VK_VIDEO_ENCODE_RATE_CONTROL_MODE_VBR_BIT_KHR,
}

/** One claim of the answers for all profiles of a codec: the sizes that all of those which it takes have in common. */
function merge(codec: Codec, answers: readonly (Answer | number)[]): VideoClaim {
  const taken = answers.filter((answer) => typeof answer !== 'number')
  const [first] = taken
  if (!first) {
    const refusals = answers.filter((answer) => typeof answer === 'number').map((result) => resultName(result))
    return nothing(codec, `the driver refuses each of its profiles (${[...new Set(refusals)].join(', ')})`)
  }
  const claims = taken.map(({ claim }) => claim)
  return {
    ...nothing(codec, ''),
    claimed: true,
    reason: null,
    profiles: taken.map(({ profile }) => ({ name: profile.name, bit_depth: profile.bit_depth })),
    min_width: Math.max(...claims.map((claim) => claim.min_width)),
    min_height: Math.max(...claims.map((claim) => claim.min_height)),
    max_width: Math.min(...claims.map((claim) => claim.max_width)),
    max_height: Math.min(...claims.map((claim) => claim.max_height)),
    max_references: Math.min(...claims.map((claim) => claim.max_references)),
    encode: first.claim.encode,
  }
}
