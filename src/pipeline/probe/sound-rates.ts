import * as v from 'valibot'
import { askFfprobe } from './ask-ffprobe.ts'
import type { ProbeRequest } from './ffprobe.ts'
import type { AudioStream, MediaInfo } from './media-info.ts'

const Packets = v.object({
  packets: v.array(
    v.object({ stream_index: v.number(), size: v.string(), duration_time: v.optional(v.string(), '0') }),
  ),
})

/** Codecs that results have, and so may be copied for their rate. */
const wanted = /^(aac|opus)$/
/** Seconds that are measured at the beginning and in the middle. */
const sampleSeconds = 20
/** Less is no measurement. */
const leastSeconds = 0.5
/** A thousand tracks stay below it. */
const maxPacketBytes = 32 * 1024 * 1024

/**
 * The file with the bit rate of its AAC and Opus tracks where the container tells none, as most of Matroska: measured in
 * some seconds of it. What cannot be measured stays null. Rejects when the signal aborts.
 */
export async function withSoundRates(request: ProbeRequest, info: MediaInfo): Promise<MediaInfo> {
  const unknown = info.streams.filter(
    (stream): stream is AudioStream => stream.kind === 'audio' && stream.bit_rate === null && wanted.test(stream.codec),
  )
  if (unknown.length === 0) return info
  const rates = await measure(request, info.duration_seconds)
  const streams = info.streams.map((stream) =>
    stream.kind === 'audio' && unknown.includes(stream)
      ? { ...stream, bit_rate: rates.get(stream.index) ?? null }
      : stream,
  )
  return { ...info, streams }
}

/** Bits per second by the number of the stream. */
async function measure(request: ProbeRequest, seconds: number | null): Promise<Map<number, number>> {
  const middle = seconds !== null && seconds > 4 * sampleSeconds ? `,${Math.round(seconds / 2)}%+${sampleSeconds}` : ''
  const show = ['-show_entries', 'packet=stream_index,size,duration_time', '-select_streams', 'a']
  const options = [...show, '-read_intervals', `%+${sampleSeconds}${middle}`]
  const answer = await askFfprobe(request, { options, schema: Packets, max_bytes: maxPacketBytes })
  const sums = new Map<number, { bits: number; seconds: number }>()
  for (const { stream_index: index, size, duration_time: duration } of answer?.packets ?? []) {
    const sum = sums.get(index) ?? { bits: 0, seconds: 0 }
    sums.set(index, { bits: sum.bits + 8 * Number(size), seconds: sum.seconds + Number(duration) })
  }
  const measured = [...sums].filter(([, sum]) => sum.seconds >= leastSeconds)
  return new Map(measured.map(([index, sum]) => [index, Math.round(sum.bits / sum.seconds)]))
}
