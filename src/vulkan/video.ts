import type { QueueFamily, VideoClaim } from '../contract/vulkan.ts'
import { bitNames } from './decode.ts'
import { constants as c, resultName, structs } from './layout.ts'
import type { Block, Memory } from './memory.ts'
import { type Codec, codecs, type Profile } from './video-codecs.ts'

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
