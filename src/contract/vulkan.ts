import * as v from 'valibot'

/** As `VkPhysicalDeviceType` has it; `cpu` is a driver that computes on the processor, such as lavapipe. */
export const vulkanDeviceTypes = ['discrete', 'integrated', 'virtual', 'cpu', 'other'] as const
export type VulkanDeviceType = (typeof vulkanDeviceTypes)[number]

/** The codecs of Vulkan Video that we convert. */
export const vulkanCodecs = ['h264', 'hevc', 'av1', 'vp9'] as const
export type VulkanCodec = (typeof vulkanCodecs)[number]

/**
 * What a driver says of one codec in one direction. A claim: nothing was encoded or decoded to see whether it is true.
 * Sizes are those that every one of `profiles` allows.
 */
export const VideoClaim = v.object({
  codec: v.picklist(vulkanCodecs),
  operation: v.picklist(['decode', 'encode']),
  claimed: v.boolean(),
  /** Why not, as a clause: `the driver has no encode queue`; null when it is claimed. */
  reason: v.nullable(v.string()),
  /** Such as `high` or `main-10`, each with 4:2:0 chroma; empty when nothing is claimed. */
  profiles: v.array(v.object({ name: v.string(), bit_depth: v.number() })),
  /** Pixels; 0 when nothing is claimed. */
  min_width: v.number(),
  min_height: v.number(),
  max_width: v.number(),
  max_height: v.number(),
  /** Pictures that one picture may refer to. */
  max_references: v.number(),
  /** Only of an encoder. */
  encode: v.nullable(
    v.object({
      rate_control_modes: v.array(v.picklist(['disabled', 'cbr', 'vbr'])),
      /** Bits per second. */
      max_bitrate: v.number(),
      quality_levels: v.number(),
    }),
  ),
})
export type VideoClaim = v.InferOutput<typeof VideoClaim>

/** A group of queues of one device. */
export const QueueFamily = v.object({
  queue_count: v.number(),
  /** Such as `compute` or `video_decode`. */
  operations: v.array(v.string()),
  /** `VkVideoCodecOperationFlagBitsKHR` by name, such as `decode_h264`; what we have no name for is `0x...`. */
  video_codec_operations: v.array(v.string()),
})
export type QueueFamily = v.InferOutput<typeof QueueFamily>

/** The PCI numbers of those who make GPUs; Apple's is MoltenVK's. */
export const pciVendors = { nvidia: 0x10de, amd: 0x1002, intel: 0x8086, apple: 0x106b } as const

/** All that a probe learns of one physical device. */
export const DeviceFacts = v.object({
  /** Its place in the driver's list, by which ffmpeg calls it too. */
  index: v.number(),
  name: v.string(),
  type: v.picklist(vulkanDeviceTypes),
  device_id: v.number(),
  /** The PCI vendor, of `pciVendors` or another; or Khronos' own beyond 0xffff. */
  vendor_id: v.number(),
  /** Such as `NVIDIA` or `radv`; empty when the driver does not say. */
  driver_name: v.string(),
  /** As the vendor writes it: `580.159.04`, `Mesa 25.0.7 (LLVM 19.1.7)`. */
  driver_version: v.string(),
  api_version: v.string(),
  /** Null when the driver does not say. lavapipe's is the same on every machine. */
  uuid: v.nullable(v.string()),
  /** `0000:01:00.0`; null when the driver does not say. */
  pci_address: v.nullable(v.string()),
  memory_heaps: v.array(v.object({ size_bytes: v.number(), device_local: v.boolean() })),
  supported_extensions: v.array(v.string()),
  /** Empty for a driver of Vulkan 1.0. */
  queue_families: v.array(QueueFamily),
  /** One of each codec and direction that Vulkan Video has. */
  video: v.array(VideoClaim),
})
export type DeviceFacts = v.InferOutput<typeof DeviceFacts>

/** Why Vulkan cannot be used, or not to the full. */
export const VulkanProblem = v.object({
  /**
   * `no_loader`: no libvulkan. `no_driver`: no driver that loads. `no_device`: drivers, and nothing they could drive.
   * `only_cpu`: no device but a processor. `no_match`: none is called as `vulkan.preferred_device` says. `failed`: a
   * call failed. `crashed`, `hung`: a driver ended the probe, or kept it from ending.
   */
  code: v.picklist(['no_loader', 'no_driver', 'no_device', 'only_cpu', 'no_match', 'failed', 'crashed', 'hung']),
  /** A sentence that names the remedy where there is one. */
  message: v.string(),
})
export type VulkanProblem = v.InferOutput<typeof VulkanProblem>

export const VulkanLoader = v.object({ library: v.string(), version: v.string() })
export type VulkanLoader = v.InferOutput<typeof VulkanLoader>

export const VulkanLayer = v.object({ name: v.string(), version: v.string(), description: v.string() })
export type VulkanLayer = v.InferOutput<typeof VulkanLayer>

/** What the probe tells as it goes, so that a driver which ends it early has not ended what was known. */
export const ProbeEvent = v.variant('kind', [
  v.object({ kind: v.literal('loader'), loader: VulkanLoader, layers: v.array(VulkanLayer) }),
  /** What it does next, as the end of `while ...`. */
  v.object({ kind: v.literal('step'), step: v.string() }),
  /** Whether validation is on; the reason why not, when it was asked for. */
  v.object({ kind: v.literal('validation'), enabled: v.boolean(), reason: v.nullable(v.string()) }),
  v.object({ kind: v.literal('device'), device: DeviceFacts }),
  v.object({ kind: v.literal('problem'), problem: VulkanProblem }),
  /** All was asked and given back. */
  v.object({ kind: v.literal('end') }),
])
export type ProbeEvent = v.InferOutput<typeof ProbeEvent>

/** A device as we judge it: the contract's fields, and all that is known. What it can do is what its driver claims. */
export interface VulkanDevice extends DeviceFacts {
  /** Whether we would use it: a GPU, or a processor that `vulkan.preferred_device` names. */
  available: boolean
  can_encode: boolean
  can_decode: boolean
  /** Pixels: of its encoders, or of its decoders when it has none; 0 without either. */
  max_width: number
  max_height: number
  /** The codec that it would encode to; empty when it encodes none. */
  preferred_format: string
}

/**
 * What this machine has of Vulkan. The contract's two models in one: what the default device can do, and the list of
 * devices. Without a default device its texts are empty, its numbers 0, its flags false.
 */
export interface VulkanReport {
  /** Whether there is a device that we would use. */
  supported: boolean
  device: Pick<
    VulkanDevice,
    'index' | 'name' | 'type' | 'device_id' | 'vendor_id' | 'driver_version' | 'available' | 'uuid'
  > | null
  api_version: string
  supported_extensions: readonly string[]
  can_encode: boolean
  can_decode: boolean
  max_width: number
  max_height: number
  preferred_format: string
  devices: VulkanDevice[]
  /** Its name; empty when none fits. */
  default_device: string
  /** Null when there is nothing to complain of. */
  problem: VulkanProblem | null
  /** Null when it could not be opened. */
  loader: VulkanLoader | null
  layers: VulkanLayer[]
  /** The driver manifests that the loader read, and what is known to be wrong with one. */
  drivers: { manifest: string; problem: string | null }[]
  /** The loader's own words about what it could not use. */
  loader_messages: string[]
  /** Null when `vulkan.enable_validation` is off. */
  validation: { enabled: boolean; reason: string | null; messages: string[] } | null
}
