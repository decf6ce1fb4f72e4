import type { ConversionSettings } from '../../../contract/conversion.ts'

/**
 * Bits per second of a track of so many channels: `audio_bitrate` is for stereo. With no more than that, 5.1 in AAC comes out
 * about a decibel off.
 */
export function rateOfTrack({ audio_bitrate }: Pick<ConversionSettings, 'audio_bitrate'>, channels: number): number {
  return Math.round(audio_bitrate * Math.max(1, channels / 2))
}
