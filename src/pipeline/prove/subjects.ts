import type { VideoCodec } from '../../contract/conversion.ts'
import type { GpuCapability } from '../../contract/gpu.ts'
import type { VideoClaim, VulkanDevice } from '../../contract/vulkan.ts'
import { gpuEncoders } from '../plan/video/encoders.ts'
import type { CodecSubject, Subject } from './trial-plan.ts'

/** Something to try on a Vulkan device. */
export interface VulkanSubject<T extends Subject = Subject> {
  subject: T
  /** Why its driver says that it cannot; null when it claims it, or need not, since shaders do it. */
  refusal: string | null
}

/** All that a Vulkan device is tried at. */
export interface VulkanSubjects {
  encode: VulkanSubject<CodecSubject>[]
  filter: VulkanSubject[]
  decode: VulkanSubject<CodecSubject>[]
}

type Kind = readonly [codec: VideoCodec, bit_depth: number]

/** What is done by Vulkan Video, which drivers make claims of. */
const encodedByVideo: readonly Kind[] = [
  ['h264', 8],
  ['hevc', 8],
  ['hevc', 10],
  ['av1', 8],
  ['av1', 10],
]
const decodedByVideo: readonly Kind[] = [...encodedByVideo, ['vp9', 8], ['vp9', 10]]
/** What is done by shaders, in both directions. */
const byShaders: readonly Kind[] = [
  ['ffv1', 8],
  ['ffv1', 10],
  ['prores', 10],
]

/** Lists what a device is to be tried at, with what its driver claims of it. */
export function vulkanSubjects(device: Pick<VulkanDevice, 'video'>): VulkanSubjects {
  return {
    encode: [
      ...encodedByVideo.map((kind) => claimed(device, codecSubject('encode', kind))),
      ...byShaders.map((kind) => ({ subject: codecSubject('encode', kind), refusal: null })),
    ],
    filter: [
      [8, 'scale_vulkan'] as const,
      [10, 'scale_vulkan'] as const,
      // From ten bits of HDR to eight of SDR.
      [10, 'libplacebo'] as const,
    ].map(([bit_depth, by]) => ({ subject: { operation: 'filter', codec: null, bit_depth, by }, refusal: null })),
    decode: [
      ...decodedByVideo.map((kind) => claimed(device, codecSubject('decode', kind))),
      ...byShaders.map((kind) => ({ subject: codecSubject('decode', kind), refusal: null })),
    ],
  }
}

function codecSubject(operation: VideoClaim['operation'], [codec, bit_depth]: Kind): CodecSubject {
  const by = operation === 'decode' ? 'vulkan' : (gpuEncoders.vulkan[codec] ?? '')
  return { operation, codec, bit_depth, by }
}

function claimed({ video }: Pick<VulkanDevice, 'video'>, subject: CodecSubject): VulkanSubject<CodecSubject> {
  const { operation, codec, bit_depth } = subject
  const claim = video.find((claim) => claim.operation === operation && claim.codec === codec)
  if (claim?.claimed !== true) return { subject, refusal: claim?.reason ?? `the driver says nothing of ${codec}` }
  if (!claim.profiles.some((profile) => profile.bit_depth === bit_depth)) {
    return { subject, refusal: `the driver claims no ${codec} of ${bit_depth} bits` }
  }
  const { min_width, min_height, max_width, max_height, encode } = claim
  const limits = { min_width, min_height, max_width, max_height }
  const rate_control = bestRateControl(encode?.rate_control_modes ?? [])
  return { subject: { ...subject, limits, rate_control, quality_levels: encode?.quality_levels ?? 0 }, refusal: null }
}

/** Vulkan calls a constant quantizer `disabled`. */
function bestRateControl(modes: readonly string[]): GpuCapability['rate_control'] {
  if (modes.includes('vbr')) return 'vbr'
  if (modes.includes('cbr')) return 'cbr'
  return modes.includes('disabled') ? 'cqp' : null
}
