import type { ConversionSettings } from '../../../contract/conversion.ts'
import type { AudioStream } from '../../probe/media-info.ts'
import { holdsSound } from '../streams/container-holds.ts'
import { channelLimits } from './channel-filters.ts'
import { rateOfTrack } from './track-rate.ts'

/** Whether a sound track may stay as it is, and why or why not, in a few words. */
export interface CopyAnswer {
  is_yes: boolean
  reason: string
  /** Whether it was to be copied, and the container alone is against it. */
  is_refused_by_container: boolean
}

/** A track that was made at 128k is seldom of exactly that. */
const rateTolerance = 1.05
/** Forms of AAC that few players know. */
const rarelyPlayed = /^(Main|SSR|LTP)$/

/** Decides whether a track of a file of these formats is copied. */
export function mayCopy(source: AudioStream, settings: ConversionSettings, formats: readonly string[]): CopyAnswer {
  const { audio_codec: wanted, container, audio_channels: channels } = settings
  if (source.channels > channelLimits[channels]) return no(`audio_channels is ${channels}`)
  const isHeld = holdsSound(container, source.codec)
  if (wanted === 'copy') {
    return isHeld
      ? yes('audio_codec is copy')
      : { ...no(`${container} does not hold ${source.codec}`), is_refused_by_container: true }
  }
  if (source.codec !== wanted || !isHeld) return no(`audio_codec is ${wanted}`)
  const obstacle = obstacleOf(source, settings, formats)
  if (obstacle !== undefined) return no(`already ${wanted}, but ${obstacle}`)
  return yes(`already ${wanted} at no more than ${thousands(rateOfTrack(settings, source.channels))}`)
}

/** Why a track that has the right codec is encoded again; undefined when it need not be. */
function obstacleOf(source: AudioStream, settings: ConversionSettings, formats: readonly string[]) {
  const most = rateOfTrack(settings, source.channels)
  if (source.bit_rate === null) return 'of a bit rate that the file does not tell'
  if (source.bit_rate > most * rateTolerance) {
    return `at ${thousands(source.bit_rate)}, more than ${thousands(most)}`
  }
  if (rarelyPlayed.test(source.profile ?? '')) return `in its rare form ${source.profile}`
  // Broadcasts go from stereo to 5.1 and back, and a container that has one header for all of it cannot tell so.
  if (formats.includes('mpegts')) return 'from a transport stream, where it may change its form'
  return undefined
}

function thousands(bitsPerSecond: number): string {
  return `${Math.round(bitsPerSecond / 1000)}k`
}

function yes(reason: string): CopyAnswer {
  return { is_yes: true, reason, is_refused_by_container: false }
}

function no(reason: string): CopyAnswer {
  return { is_yes: false, reason, is_refused_by_container: false }
}
