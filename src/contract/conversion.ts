import * as v from 'valibot'

/** What a conversion can write, each through the encoder that `pipeline/plan.ts` names. */
export const videoCodecs = ['h264', 'hevc', 'av1', 'vp9'] as const
/** `copy` keeps a track as it is where the container can hold it. */
export const audioCodecs = ['aac', 'opus', 'copy'] as const
export const containers = ['mp4', 'mkv', 'webm'] as const
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

export type VideoCodec = (typeof videoCodecs)[number]
export type Container = (typeof containers)[number]
export type Preset = (typeof presets)[number]

/** What the result shall be; the master sends it with every job, so workers need no settings of their own. */
export const ConversionSettings = v.object({
  /** Pixels of the box that the picture must fit into; it is never enlarged to fill it. */
  target_resolution: v.object({ width: v.number(), height: v.number() }),
  codec: v.picklist(videoCodecs),
  /** Video bits per second, on average. */
  bitrate: v.number(),
  preset: v.picklist(presets),
  audio_codec: v.picklist(audioCodecs),
  /** Bits per second of each audio track. */
  audio_bitrate: v.number(),
  container: v.picklist(containers),
})
export type ConversionSettings = v.InferOutput<typeof ConversionSettings>

/** Why a container cannot hold what was asked for, or undefined when it can. */
export function containerConflict(
  settings: Pick<ConversionSettings, 'codec' | 'audio_codec' | 'container'>,
): string | undefined {
  if (settings.container !== 'webm') return undefined
  if (settings.codec !== 'vp9' && settings.codec !== 'av1') return `webm holds vp9 or av1, not ${settings.codec}`
  if (settings.audio_codec === 'aac') return 'webm holds opus, not aac'
  return undefined
}
