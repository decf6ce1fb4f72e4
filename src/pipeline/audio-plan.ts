import type { Container, ConversionSettings } from '../contract/conversion.ts'
import type { AudioStream, MediaInfo } from './media-info.ts'
import { type Decision, dropped } from './stream-decision.ts'

/** How one sound track goes into the result. */
export interface AudioPlan {
  stream_index: number
  encoder: AudioEncoder
  /** The result's, as ffprobe names it. */
  codec: string
  /** Bits per second; null for a copy. */
  bitrate: number | null
  /** Layout to convert to; null to leave it as it is. */
  channel_layout: string | null
  /** Hertz to convert to; null to leave it to the encoder. */
  sample_rate: number | null
}

export type AudioEncoder = 'aac' | 'libopus' | 'copy'

/** What each container holds. In mp4, FFmpeg calls flac experimental before 6, and reads mp2 back as mp3. */
const copyable: Record<Container, RegExp> = {
  mp4: /^(aac|mp3|ac3|eac3|opus|alac)$/,
  mkv: /^(aac|mp[123]|ac3|eac3|dts|truehd|mlp|flac|opus|vorbis|alac|wavpack|tta|wmav[12]|pcm_(u8|[sf](16|24|32|64)le))$/,
  webm: /^(opus|vorbis)$/,
  mov: /^(aac|mp3|ac3|eac3|alac|pcm_([su]8|[sf](16|24|32|64)(le|be)))$/,
}

/** By number of channels: what libopus and plain AAC take, both of which know 5.1 with back speakers only. */
const layouts = ['mono', 'stereo', '3.0', 'quad', '5.0', '5.1', '6.1', '7.1'] as const

/** What becomes of the sound: `decisions` by the number of each source stream, `notes` beyond what was asked for. */
export interface SoundPlan {
  tracks: AudioPlan[]
  notes: string[]
  decisions: ReadonlyMap<number, Decision>
}

/** Plans every sound track of the source. */
export function planAudio(info: MediaInfo, settings: ConversionSettings): SoundPlan {
  const sources = info.streams.filter((stream) => stream.kind === 'audio')
  const notes: string[] = []
  const tracks: AudioPlan[] = []
  const decisions = new Map<number, Decision>()
  sources.forEach((source, position) => {
    const name = `audio track ${position + 1}`
    if (source.codec === 'unknown' || source.channels === 0) {
      notes.push(`${name} was dropped: its codec is not known`)
      decisions.set(source.index, dropped('its codec is not known'))
      return
    }
    const encoder = chooseEncoder(source, settings)
    const track = planTrack(source, encoder, settings)
    const isRefused = settings.audio_codec === 'copy' && encoder !== 'copy'
    const refusal = `${settings.container} does not hold ${source.codec}`
    if (isRefused) notes.push(`${name} was encoded again: ${refusal}`)
    if (encoder !== 'copy' && source.channels > layouts.length) {
      notes.push(`${name} was mixed from ${source.channels} channels to ${track.channel_layout}`)
    }
    tracks.push(track)
    decisions.set(source.index, {
      action: encoder === 'copy' ? 'copy' : 'encode',
      to: track.codec,
      reason: isRefused ? refusal : `audio_codec is ${settings.audio_codec}`,
    })
  })
  return { tracks, notes, decisions }
}

function chooseEncoder(source: AudioStream, settings: ConversionSettings): AudioEncoder {
  if (settings.audio_codec === 'aac') return 'aac'
  if (settings.audio_codec === 'opus') return 'libopus'
  if (copyable[settings.container].test(source.codec)) return 'copy'
  return settings.container === 'webm' ? 'libopus' : 'aac'
}

function planTrack(source: AudioStream, encoder: AudioEncoder, settings: ConversionSettings): AudioPlan {
  const base = { stream_index: source.index, encoder }
  if (encoder === 'copy') {
    return { ...base, codec: source.codec, bitrate: null, channel_layout: null, sample_rate: null }
  }
  const layout = layouts[Math.min(source.channels, layouts.length) - 1] ?? 'stereo'
  // libopus refuses more than 256 kb/s a channel, `unsupported bit rate`.
  const bitrate =
    encoder === 'libopus' ? Math.min(settings.audio_bitrate, 256_000 * source.channels) : settings.audio_bitrate
  return {
    ...base,
    codec: encoder === 'libopus' ? 'opus' : 'aac',
    bitrate,
    channel_layout: source.channel_layout === layout ? null : layout,
    // Nothing above is heard, and AAC would take 96 kHz.
    sample_rate: source.sample_rate > 48_000 ? 48_000 : null,
  }
}
