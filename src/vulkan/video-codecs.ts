import type { VulkanCodec } from '../contract/vulkan.ts'
import { constants as c, type Layout, structs } from './layout.ts'

/** One profile that is asked for, always with 4:2:0 chroma. */
export interface Profile {
  name: string
  bit_depth: 8 | 10
  /** `StdVideoH264ProfileIdc` and its like. */
  idc: number
}

/** One codec in one direction, and the structs by which a driver is asked for it. */
export interface Codec {
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
export const codecs: readonly Codec[] = [
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
