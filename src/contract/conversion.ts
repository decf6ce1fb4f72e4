import * as v from 'valibot'

/** What a conversion can write, each through the encoder that `pipeline/plan/video/encoders.ts` names. */
export const videoCodecs = ['h264', 'hevc', 'av1', 'vp9', 'ffv1', 'prores'] as const
/** `copy` keeps a track as it is where the container can hold it. */
export const audioCodecs = ['aac', 'opus', 'copy'] as const
export const containers = ['mp4', 'mkv', 'webm', 'mov'] as const
/** One scale of speed against size for all encoders, named as x264 names it. */
export const presets = [
  'ultrafast',
  'superfast',
  'veryfast',
  'faster',
  'fast',
  'medium',
  'slow',
  'slower',
  'veryslow',
] as const

/** How the sound's channels may be limited; `keep` leaves every layout as it is. */
export const audioChannels = ['keep', '5.1', 'stereo', 'mono'] as const
/** What measures a result's picture against its source's: `vmaf` 0 to 100, `ssim` 0 to 1, `xpsnr` in decibels. */
export const pictureMetrics = ['vmaf', 'xpsnr', 'ssim'] as const

export type VideoCodec = (typeof videoCodecs)[number]
export type Container = (typeof containers)[number]
export type AudioChannels = (typeof audioChannels)[number]
export type PictureMetric = (typeof pictureMetrics)[number]
export type Preset = (typeof presets)[number]

/** What was measured of a result's picture against its source's. */
export const PictureScore = v.object({ metric: v.picklist(pictureMetrics), value: v.number() })
export type PictureScore = v.InferOutput<typeof PictureScore>

/** How a result is checked beyond its streams, length and frames. */
export const VerifySettings = v.object({
  /** How much of it is decoded again: some seconds here and there, or all of it. */
  decode: v.picklist(['samples', 'full']),
  /** What is measured against the source, and the least that is good; null for no measurement. */
  metric: v.nullable(v.object({ name: v.picklist(pictureMetrics), minimum: v.number() })),
})
export type VerifySettings = v.InferOutput<typeof VerifySettings>

/** What the result shall be; the master sends it with every job, so workers need no settings of their own. */
export const ConversionSettings = v.object({
  /** Pixels of the box that the picture must fit into; it is never enlarged to fill it. */
  target_resolution: v.object({ width: v.number(), height: v.number() }),
  codec: v.picklist(videoCodecs),
  /** Video bits per second, on average. What has no rate of its own to hold, ffv1 and prores, takes none. */
  bitrate: v.number(),
  preset: v.picklist(presets),
  audio_codec: v.picklist(audioCodecs),
  /** Bits per second of each audio track. */
  audio_bitrate: v.number(),
  container: v.picklist(containers),
  /** 1 to 100 on one scale over all encoders, instead of `bitrate`; null where the bitrate decides. */
  quality: v.optional(v.nullable(v.number()), null),
  /** Bits per second that the picture may not exceed over a second or two; null for no bound. */
  max_bitrate: v.optional(v.nullable(v.number()), null),
  /** Whether encoders on the CPU that can look at the film twice do so to hold `bitrate`. */
  two_pass: v.optional(v.boolean(), false),
  audio_channels: v.optional(v.picklist(audioChannels), 'keep'),
  /** A result of at least this share of the source's bytes is not wanted; null where any is. */
  max_size_ratio: v.optional(v.nullable(v.number()), null),
  verify: v.optional(VerifySettings, { decode: 'samples', metric: null }),
})
export type ConversionSettings = v.InferOutput<typeof ConversionSettings>

/** What players expect in each container; a mov of vp9 or av1 plays nowhere, and mp4 knows neither ffv1 nor prores. */
const codecsOf: Record<Container, readonly VideoCodec[]> = {
  mp4: ['h264', 'hevc', 'av1', 'vp9'],
  mkv: videoCodecs,
  webm: ['vp9', 'av1'],
  mov: ['h264', 'hevc', 'prores', 'ffv1'],
}

/** Why a container cannot hold a codec, or undefined when it can. */
export function videoConflict({ codec, container }: Pick<ConversionSettings, 'codec' | 'container'>) {
  const held = codecsOf[container]
  return held.includes(codec) ? undefined : `${container} holds ${held.join(' or ')}, not ${codec}`
}

/** Why a container cannot hold sound of a codec, or undefined when it can. */
export function audioConflict({ audio_codec, container }: Pick<ConversionSettings, 'audio_codec' | 'container'>) {
  if (container === 'webm' && audio_codec === 'aac') return 'webm holds opus, not aac'
  if (container === 'mov' && audio_codec === 'opus') return 'mov holds aac, not opus'
  return undefined
}
