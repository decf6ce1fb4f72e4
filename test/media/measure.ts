import * as v from 'valibot'
import { run } from './run.ts'

const Text = v.optional(v.string())
const SideData = v.object({ side_data_type: v.string() })
const Packet = v.object({
  stream_index: v.number(),
  pts_time: Text,
  dts_time: Text,
  duration_time: Text,
  size: v.string(),
  flags: v.string(),
})
type Packet = v.InferOutput<typeof Packet>
const Stream = v.object({
  index: v.number(),
  codec_type: Text,
  codec_name: v.optional(v.string(), 'unknown'),
  width: v.optional(v.number(), 0),
  height: v.optional(v.number(), 0),
  sample_aspect_ratio: Text,
  pix_fmt: Text,
  field_order: Text,
  time_base: v.string(),
  color_range: Text,
  color_primaries: Text,
  color_transfer: Text,
  color_space: Text,
  channels: v.optional(v.number(), 0),
  bit_rate: Text,
  channel_layout: v.optional(v.string(), 'unknown'),
  disposition: v.optional(v.record(v.string(), v.number()), {}),
  tags: v.optional(v.record(v.string(), v.string()), {}),
  side_data_list: v.optional(v.array(SideData), []),
})
export type Stream = v.InferOutput<typeof Stream>
const Tags = v.optional(v.record(v.string(), v.string()), {})
const Probe = v.object({
  packets: v.array(Packet),
  streams: v.array(Stream),
  chapters: v.array(v.object({ tags: Tags })),
  format: v.object({ format_name: v.string(), tags: Tags }),
})

/** What a file holds and when, by its packets. */
export interface Measured {
  /** The demuxer's names. */
  format: string
  /** By kind: the film alone, without covers. */
  film: Stream
  films: number
  sounds: Stream[]
  subtitles: Stream[]
  attachments: Stream[]
  covers: Stream[]
  data: Stream[]
  chapters: string[]
  title: string | null
  /** Kinds of the film's side data. */
  side_data: string[]
  /** When each picture is shown, in seconds and in order; null where a packet does not tell. */
  picture_times: number[] | null
  /** Of each sound track. */
  sound: SoundPackets[]
}

/** The packets of a sound track. */
export interface SoundPackets {
  /** Seconds of the longest: the codec begins and ends by whole ones. */
  frame: number
  /** Bytes of each. */
  sizes: number[]
}

/** Reads a file's streams and all its packets with ffprobe. */
export async function measure(ffprobe: string, path: string, folder: string): Promise<Measured> {
  const argv = [
    [ffprobe, '-v', 'error', '-of', 'json', '-i', path],
    ['-show_streams', '-show_format', '-show_chapters', '-show_packets'],
  ].flat()
  const { stdout } = await run(argv, folder)
  const { packets, streams, chapters, format } = v.parse(Probe, JSON.parse(stdout.toString()))
  const ofKind = (kind: string) => streams.filter((stream) => stream.codec_type === kind)
  const films = ofKind('video').filter((stream) => !isCover(stream))
  const sounds = ofKind('audio')
  const [film] = films
  if (film === undefined) throw new Error(`${path} has no film`)
  const ofFilm = shown(packets.filter((packet) => packet.stream_index === film.index))
  const times = picturesOf(ofFilm)
  return {
    format: format.format_name,
    film,
    films: films.length,
    sounds,
    subtitles: ofKind('subtitle'),
    attachments: ofKind('attachment'),
    covers: ofKind('video').filter(isCover),
    data: streams.filter(({ codec_type: kind }) => kind === undefined || kind === 'data' || kind === 'unknown'),
    chapters: chapters.map(({ tags }) => tags['title'] ?? ''),
    title: format.tags['title'] ?? null,
    side_data: film.side_data_list.map((data) => data.side_data_type),
    picture_times: times,
    sound: sounds.map(({ index }) => soundOf(packets.filter((packet) => packet.stream_index === index))),
  }
}

function isCover({ disposition }: Stream): boolean {
  return disposition['attached_pic'] === 1
}

/** What an edit list hides is read and decoded, and not shown. */
function shown(packets: readonly Packet[]): Packet[] {
  return packets.filter((packet) => !packet.flags.includes('D'))
}

function picturesOf(packets: readonly Packet[]): number[] | null {
  if (packets.some((packet) => packet.pts_time === undefined)) return null
  return packets.map(timeOf).toSorted((a, b) => a - b)
}

function soundOf(packets: readonly Packet[]): SoundPackets {
  return {
    frame: Math.max(...packets.map((packet) => seconds(packet.duration_time))),
    sizes: packets.map(({ size }) => Number(size)),
  }
}

function timeOf({ pts_time: pts, dts_time: dts }: Packet): number {
  return seconds(pts ?? dts)
}

function seconds(text: string | undefined): number {
  return text === undefined ? 0 : Number(text)
}
