import type { ConversionSettings } from '../../../contract/conversion.ts'
import type { AudioStream, MediaInfo } from '../../probe/media-info.ts'
import { type Decision, dropped } from '../streams/decision.ts'
import { channelLimits, planChannels } from './channel-filters.ts'
import { mayCopy } from './may-copy.ts'
import { rateOfTrack } from './track-rate.ts'

/** How one sound track goes into the result. */
export interface AudioPlan {
  stream_index: number
  encoder: AudioEncoder
  /** The result's, as ffprobe names it. */
  codec: string
  /** Input options for its decoder. */
  decode: string[]
  /** Bits per second; null for what has no rate to choose. */
  bitrate: number | null
  /** Of the result. */
  channels: number
  /** For its channels, one after the other, in FFmpeg's grammar. */
  filters: string[]
  /** Hertz to convert to; null to leave it as it is. */
  sample_rate: number | null
}

export type AudioEncoder = LossyEncoder | 'pcm_s16le' | 'pcm_s24le' | 'pcm_s32le' | 'pcm_f32le' | 'pcm_f64le' | 'copy'
type LossyEncoder = 'aac' | 'libopus'

/** What becomes of the sound: `decisions` by the number of each source stream, `notes` beyond what was asked for. */
export interface SoundPlan {
  tracks: AudioPlan[]
  notes: string[]
  decisions: ReadonlyMap<number, Decision>
}

/** Plans every sound track of the source. */
export function planAudio(info: MediaInfo, settings: ConversionSettings): SoundPlan {
  const tracks: AudioPlan[] = []
  const notes: string[] = []
  const decisions = new Map<number, Decision>()
  info.streams
    .filter((stream) => stream.kind === 'audio')
    .forEach((source, position) => {
      const planned = planTrack(source, settings, info.formats)
      if (planned.track) tracks.push(planned.track)
      notes.push(...planned.notes.map((note) => `audio track ${position + 1} was ${note}`))
      decisions.set(source.index, planned.decision)
    })
  return { tracks, notes, decisions }
}

interface PlannedTrack {
  track: AudioPlan | null
  decision: Decision
  /** What follows `audio track 1 was`. */
  notes: string[]
}

function planTrack(source: AudioStream, settings: ConversionSettings, formats: readonly string[]): PlannedTrack {
  if (source.codec === 'unknown' || source.codec === 'none' || source.channels === 0) {
    const reason = 'its codec is not known'
    return { track: null, decision: dropped(reason), notes: [`dropped: ${reason}`] }
  }
  const answer = mayCopy(source, settings, formats)
  if (answer.is_yes) {
    const decision: Decision = { action: 'copy', to: source.codec, reason: answer.reason }
    return { track: { ...unchanged(source), encoder: 'copy', codec: source.codec }, decision, notes: [] }
  }
  if (settings.audio_codec === 'copy' && answer.is_refused_by_container) {
    const pcm = sameSamples(source, settings)
    if (pcm !== undefined) {
      const reason = `${answer.reason}; no sample is changed`
      return {
        track: { ...unchanged(source), encoder: pcm, codec: pcm },
        decision: { action: 'encode', to: pcm, reason },
        notes: [],
      }
    }
  }
  return encoded(source, settings, answer.reason)
}

function unchanged(source: AudioStream): Omit<AudioPlan, 'encoder' | 'codec'> {
  const { index: stream_index, channels } = source
  return { stream_index, decode: [], bitrate: null, channels, filters: [], sample_rate: null }
}

/** The encoder that keeps every sample of what only lies in another order; undefined for what is no such. */
function sameSamples(source: AudioStream, { container }: ConversionSettings): AudioEncoder | undefined {
  if (container !== 'mkv') return undefined
  return sameInLittleEndian[source.codec]
}

const sameInLittleEndian: Record<string, AudioEncoder> = {
  pcm_s16be: 'pcm_s16le',
  pcm_s24be: 'pcm_s24le',
  pcm_s32be: 'pcm_s32le',
  pcm_f32be: 'pcm_f32le',
  pcm_f64be: 'pcm_f64le',
}

function encoded(source: AudioStream, settings: ConversionSettings, reason: string): PlannedTrack {
  const encoder = encoderFor(settings)
  const codec = encoder === 'libopus' ? 'opus' : 'aac'
  const channels = planChannels(source, encoder, channelLimits[settings.audio_channels])
  const rate = rateFor(encoder, source.sample_rate)
  const most = mostOf(encoder, rate ?? source.sample_rate, channels.count)
  const isRefused = settings.audio_codec === 'copy' && channels.loss === null
  const moved = channels.loss ?? (channels.filters.length > 0 ? `its channels as ${channels.layout}` : null)
  return {
    track: {
      stream_index: source.index,
      encoder,
      codec,
      decode: decodeOptions(source),
      bitrate: Math.min(rateOfTrack(settings, channels.count), most),
      channels: channels.count,
      filters: channels.filters,
      sample_rate: rate,
    },
    decision: { action: 'encode', to: codec, reason: moved === null ? reason : `${reason}; ${moved}` },
    notes: [...(isRefused ? [`encoded again: ${reason}`] : []), ...(channels.loss === null ? [] : [channels.loss])],
  }
}

function encoderFor({ audio_codec: codec, container }: ConversionSettings): LossyEncoder {
  if (codec === 'opus' || container === 'webm') return 'libopus'
  return 'aac'
}

/** Dolby's decoder would make loud passages quieter and quiet ones louder, as the disc asks of it for late hours. */
function decodeOptions({ codec, index }: AudioStream): string[] {
  return codec === 'ac3' || codec === 'eac3' ? [`-drc_scale:${index}`, '0'] : []
}

/** Hertz; above 48 kHz nothing is heard. Left to itself FFmpeg takes the nearest, which may be lower. */
const rates: Record<LossyEncoder, readonly number[]> = {
  aac: [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
  libopus: [8000, 12_000, 16_000, 24_000, 48_000],
}

function rateFor(encoder: LossyEncoder, rate: number): number | null {
  const next = rates[encoder].find((each) => each >= rate) ?? 48_000
  return next === rate ? null : next
}

/** Bits per second that an encoder takes at most: libopus refuses more, `unsupported bit rate`; AAC has 6144 bits a frame and channel. */
function mostOf(encoder: LossyEncoder, rate: number, channels: number): number {
  return channels * (encoder === 'libopus' ? 256_000 : 6 * rate)
}
