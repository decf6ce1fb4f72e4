import type { ConversionSettings, VideoCodec } from '../contract/conversion.ts'
import type { SourceFacts } from '../contract/profile.ts'

/** Codecs of which some encoder looks at a film twice. */
const looksTwice = new Set<VideoCodec>(['h264', 'hevc', 'vp9'])
/** What settings may do without. */
const optional = new Set(['quality', 'max_bitrate'])

/**
 * What two conversions of one source would differ in, as `codec h264 -> hevc` each; nothing where both give the same. Left
 * out is what changes no result: how it is checked, the file format, which its name fixed, and what the codec or the other
 * settings leave no say. Of a source that is known, only the size of its own picture counts, not the box.
 */
export function settingsChanges(
  before: ConversionSettings,
  now: ConversionSettings,
  source_facts: SourceFacts | null,
): string[] {
  const [old, fresh] = [decisive(before, source_facts), decisive(now, source_facts)]
  // What has lost its say, or got it, has done so by another change that is told.
  const isTold = (name: string) => optional.has(name) || (old[name] !== null && fresh[name] !== null)
  return Object.keys(fresh)
    .filter((name) => old[name] !== fresh[name] && isTold(name))
    .map((name) => `${name} ${old[name] ?? 'none'} -> ${fresh[name] ?? 'none'}`)
}

/** Whether a result of so many bytes for each of its source's, or an encode that came so far, may be judged anew. */
export function sizeBoundChange(before: ConversionSettings, now: ConversionSettings): string[] {
  const [old, fresh] = [before.max_size_ratio, now.max_size_ratio]
  return old === fresh ? [] : [`max_size_ratio ${old ?? 'none'} -> ${fresh ?? 'none'}`]
}

/** The settings that have a say, in words. */
function decisive(settings: ConversionSettings, source_facts: SourceFacts | null): Record<string, string | null> {
  const { codec, quality, max_bitrate, audio_codec, audio_bitrate, audio_channels } = settings
  // ffv1 and prores take what they need, at their own speed.
  const hasRate = codec !== 'ffv1' && codec !== 'prores'
  const isByBitrate = hasRate && quality === null
  return {
    codec,
    size: sizeText(settings, source_facts),
    preset: hasRate ? settings.preset : null,
    quality: hasRate && quality !== null ? String(quality) : null,
    bitrate: isByBitrate ? rateText(settings.bitrate) : null,
    max_bitrate: hasRate && max_bitrate !== null ? rateText(max_bitrate) : null,
    two_pass: isByBitrate && looksTwice.has(codec) ? String(settings.two_pass) : null,
    audio_codec,
    audio_bitrate: rateText(audio_bitrate),
    audio_channels,
  }
}

/** Of the picture that comes out, near enough to tell two boxes apart. */
function sizeText({ target_resolution: box }: ConversionSettings, source_facts: SourceFacts | null): string {
  if (source_facts === null) return `${box.width}x${box.height}`
  const { width, height } = source_facts
  const factor = Math.min(1, box.width / width, box.height / height)
  return `${Math.round(width * factor)}x${Math.round(height * factor)}`
}

function rateText(bits: number): string {
  return bits >= 1e6 ? `${bits / 1e6} Mb/s` : `${bits / 1e3} kb/s`
}
