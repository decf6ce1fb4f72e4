import type { ConvertResult } from '../../src/pipeline/convert.ts'
import type { Measured, Stream } from './measure.ts'
import { layoutFor, noteKinds, type NoteKind, promisedOf, type Target } from './promise.ts'
import type { Contents, SoundSaid } from './recipe.ts'
import type { Watched } from './watch.ts'

/** What a fault concerns. */
export type Aspect =
  | 'outcome'
  | 'size'
  | 'depth'
  | 'color'
  | 'hdr'
  | 'look'
  | 'frames'
  | 'times'
  | 'start'
  | 'end'
  | 'sync'
  | 'sound'
  | 'subtitles'
  | 'chapters'
  | 'attachments'
  | 'covers'
  | 'tags'
  | 'notes'

/** How a result breaks the promise. */
export interface Fault {
  aspect: Aspect
  message: string
}

/** A file as ffprobe measures it and as a player shows it. */
export interface Seen {
  measured: Measured
  watched: Watched
}

/** Seconds that sound may be off by. */
const syncTolerance = 0.02
/** Bits per second that the studio asks for a sound track. */
export const audioBitrate = 128_000
/** Seconds that a picture may be off by; a container's tick where that is more. */
const timeTolerance = 0.001

/** Compares a result with its source and with what was promised; empty when it is kept. */
export function judge(
  holds: Contents,
  target: Target,
  source: Seen,
  result: Seen,
  { notes }: Pick<ConvertResult, 'notes'>,
): Fault[] {
  const faults: Fault[] = []
  const expect = (aspect: Aspect, isKept: boolean, message: string) => {
    if (!isKept) faults.push({ aspect, message })
  }
  judgePicture(holds, target, source, result, expect)
  judgeTime(holds, source, result, expect)
  judgeSound(holds, target, source, result, expect)
  judgeTracks(holds, target, result.measured, notes, expect)
  return faults
}

type Expect = (aspect: Aspect, isKept: boolean, message: string) => void

function judgePicture(holds: Contents, target: Target, source: Seen, result: Seen, expect: Expect): void {
  const promised = promisedOf(holds, target)
  const { film, side_data: sideData } = result.measured
  const [width, height] = promised.size
  expect('size', film.width === width && film.height === height, `${film.width}x${film.height}, not ${width}x${height}`)
  const pixels = film.sample_aspect_ratio ?? '1:1'
  expect('size', pixels === '1:1', `its pixels are ${pixels}`)
  expect('size', !sideData.includes('Display Matrix'), 'still to be turned')
  expect('size', /^(progressive|unknown)$/.test(film.field_order ?? 'unknown'), `fields: ${film.field_order}`)
  const depth = Number(/\d\d(?=[lb]e$)/.exec(film.pix_fmt ?? '')?.[0] ?? 8)
  expect('depth', depth === promised.depth, `${depth} bits (${film.pix_fmt}), not ${promised.depth}`)
  const tags = colorOf(film)
  if (promised.color !== null) {
    // Full range may be made limited, as long as the tag says so: whether the pixels agree is judged by their look.
    const range = promised.color.range === 'pc' ? tags.range : promised.color.range
    const wanted = JSON.stringify({ ...promised.color, range })
    expect('color', JSON.stringify(tags) === wanted, `tagged ${JSON.stringify(tags)}, not ${wanted}`)
  }
  for (const part of ['mastering', 'light_level'] as const) {
    if (promised[part] === null) continue
    const wanted = promised[part] ? source.watched.hdr[part] : null
    expect('hdr', holds.hdr?.[part] !== true || source.watched.hdr[part] !== null, `${part}: the source has none`)
    expect(
      'hdr',
      isSameFigures(result.watched.hdr[part], wanted),
      `${part}: ${result.watched.hdr[part]}, not ${wanted}`,
    )
  }
  const off = colorDistance(source.watched, result.watched)
  if (promised.is_same_look) expect('look', off < 10, `colours are off by ${off.toFixed(1)} of 255`)
  else expect('look', off < 90, `tone mapped to something quite different, by ${off.toFixed(1)} of 255`)
}

/** Containers and codecs keep them in fractions of their own. */
function isSameFigures(one: string | null, other: string | null): boolean {
  const [here, there] = [figures(one), figures(other)]
  return here.length === there.length && here.every((figure, at) => Math.abs(figure - (there[at] ?? 0)) <= figure / 500)
}

function figures(text: string | null): number[] {
  return [...(text ?? '').matchAll(/[\d.]+/g)].map(Number)
}

/** Of the film's tags, as ffprobe names them. */
export function colorOf(film: Stream) {
  return {
    range: known(film.color_range),
    primaries: known(film.color_primaries),
    transfer: known(film.color_transfer),
    matrix: known(film.color_space),
  }
}

function known(tag: string | undefined): string | null {
  return tag === undefined || tag === 'unknown' ? null : tag
}

/** The mean difference of a channel over all pictures. */
function colorDistance(one: Watched, other: Watched): number {
  const count = Math.min(one.pictures.length, other.pictures.length)
  const distances = one.pictures.slice(0, count).flatMap(({ color }, at) => {
    const there = other.pictures[at]?.color ?? color
    return color.map((value, channel) => Math.abs(value - (there[channel] ?? 0)))
  })
  return distances.reduce((sum, value) => sum + value, 0) / Math.max(1, distances.length)
}

function judgeTime(holds: Contents, source: Seen, result: Seen, expect: Expect): void {
  const [before, after] = [source.watched.pictures, result.watched.pictures]
  if (holds.frames !== null) expect('frames', before.length === holds.frames, `the source shows ${before.length}`)
  expect('frames', after.length === before.length, `${after.length} pictures of ${before.length}`)
  if (holds.is_numbered) {
    const numbers = (pictures: typeof before) => pictures.map(({ number }) => number).join(' ')
    expect(
      'frames',
      before.every(({ number }) => number !== null),
      'the numbers of the source cannot be read',
    )
    expect('frames', numbers(after) === numbers(before), `${numbers(after)}, not ${numbers(before)}`)
  }
  const [was, is] = [timesOf(source), timesOf(result)]
  const tolerance = Math.max(timeTolerance, tickOf(result)) + 1e-6
  const off = was.map((time, at) => Math.abs(time - (was[0] ?? 0) - ((is[at] ?? Infinity) - (is[0] ?? 0))))
  const packets = result.measured.picture_times?.length
  expect('times', packets === after.length, `${packets} packets for ${after.length} pictures`)
  expect('times', Math.max(...off) <= tolerance, `pictures are off by up to ${(Math.max(...off) * 1000).toFixed(2)} ms`)
  const sync = syncOf(source, result)
  sync.starts.forEach((edge) => expect('start', isNear(edge), `starts ${edge.ms.toFixed(1)} ms off`))
  sync.ends.forEach((edge) => expect('end', isNear(edge), `ends ${edge.ms.toFixed(1)} ms off`))
  const first = Math.min(is[0] ?? 0, ...result.watched.sounds.map(({ start }) => start))
  expect('start', Math.abs(first) < 0.05, `the result begins at ${first} s, not at zero`)
  if (!holds.has_clap) return
  expect('sync', sync.claps.length > 0, 'no clap is seen and heard')
  expect('sync', sync.is_complete, 'not as many flashes and beeps as before')
  sync.claps.forEach((ms) => expect('sync', Math.abs(ms) <= syncTolerance * 1000, `a clap is ${ms.toFixed(1)} ms off`))
}

function isNear({ ms, frame_ms: frame }: Edge): boolean {
  return Math.abs(ms) <= syncTolerance * 1000 + frame
}

/** When pictures are shown, on the file's clock: by packets where all of them tell and can be decoded, else as decoded. */
function timesOf({ measured: { picture_times: times }, watched: { pictures } }: Seen): number[] {
  return times?.length === pictures.length ? times : pictures.map(({ seconds }) => seconds)
}

function tickOf({ measured: { film } }: Seen): number {
  const [over, under] = film.time_base.split('/').map(Number)
  return (over ?? 1) / (under ?? 1)
}

/** How far an edge of a track moved, and to what it is known: codecs begin and end by whole frames, which are silent there. */
export interface Edge {
  ms: number
  frame_ms: number
}

/** How sound stands to the picture in a result compared with its source, in milliseconds; positive is late. */
export interface Sync {
  /** Of the first and the last sample against the first and the last picture, one a track. */
  starts: Edge[]
  ends: Edge[]
  /** By what is seen and heard, each clap of the first track. */
  claps: number[]
  is_complete: boolean
}

/** Measures it. */
export function syncOf(source: Seen, result: Seen): Sync {
  const tracks = result.watched.sounds.flatMap((after, at) => {
    const before = source.watched.sounds[at]
    const frame = (source.measured.sound[at]?.frame ?? 0) + (result.measured.sound[at]?.frame ?? 0)
    return before === undefined ? [] : [{ before, after, frame_ms: 1000 * frame }]
  })
  const edges = ({ watched: { pictures } }: Seen) => [pictures[0]?.seconds ?? 0, pictures.at(-1)?.seconds ?? 0] as const
  const [[wasFirst, wasLast], [isFirst, isLast]] = [edges(source), edges(result)]
  const [before, after] = [clapsOf(source.watched), clapsOf(result.watched)]
  return {
    starts: tracks.map(({ before, after, frame_ms }) => ({
      ms: 1000 * (after.start - isFirst - (before.start - wasFirst)),
      frame_ms,
    })),
    ends: tracks.map(({ before, after, frame_ms }) => ({
      ms: 1000 * (after.end - isLast - (before.end - wasLast)),
      frame_ms,
    })),
    claps: after.gaps.flatMap((gap, at) => {
      const was = before.gaps[at]
      return was === undefined ? [] : [1000 * (gap - was)]
    }),
    is_complete: before.count === after.count,
  }
}

/** By how much each beep comes after its flash. */
function clapsOf({ pictures, sounds }: Watched): { gaps: number[]; count: string } {
  const flashes = pictures.filter(({ is_white: isWhite }, at) => isWhite && pictures[at - 1]?.is_white !== true)
  const beeps = sounds[0]?.beeps ?? []
  const gaps = flashes.slice(0, beeps.length).map(({ seconds }, at) => (beeps[at] ?? 0) - seconds)
  return { gaps, count: `${flashes.length} flashes, ${beeps.length} beeps` }
}

function judgeSound(holds: Contents, target: Target, source: Seen, result: Seen, expect: Expect): void {
  const { sounds } = result.measured
  expect('sound', sounds.length === holds.sounds.length, `${sounds.length} sound tracks of ${holds.sounds.length}`)
  holds.sounds.forEach((said, at) => {
    const stream = sounds[at]
    if (stream === undefined) return
    const name = `sound ${at + 1}`
    const wanted = target.audio_codec === 'copy' ? said.codec : target.audio_codec
    expect('sound', stream.codec_name === wanted, `${name} is ${stream.codec_name}, not ${wanted}`)
    const before = source.measured.sounds[at]?.channel_layout
    const isAsSaid = before === said.layout || before === 'unknown'
    expect('sound', isAsSaid, `${name} of the source is ${before}, not ${said.layout}`)
    const layout = isCopied(source, result, at) ? said.layout : layoutFor(said.layout, target.audio_codec)
    // Matroska has no word for the layout of what is not compressed.
    const isUnsaid = stream.channel_layout === 'unknown' && stream.codec_name.startsWith('pcm_')
    expect('sound', isUnsaid || stream.channel_layout === layout, `${name} is ${stream.channel_layout}, not ${layout}`)
    const [was, is] = [source.watched.sounds[at]?.levels ?? [], result.watched.sounds[at]?.levels ?? []]
    judgeLevels(name, was, is, layout === said.layout || said.layout === '5.1(side)', expect)
    judgeTags(name, said, stream, expect)
    // Without a rate nobody knows whether a copy would be within what was asked for; broadcasts may change their form.
    const isTelling = source.measured.format !== 'mpegts'
    const rate = Number(source.measured.sounds[at]?.bit_rate ?? Infinity)
    if (isTelling && target.audio_codec === 'aac' && said.codec === 'aac' && rate <= audioBitrate) {
      expect('sound', isCopied(source, result, at), `${name} was encoded again, though it could be copied`)
    }
  })
}

/** Packet for packet as long as before; some containers have a head of its own in front of each. */
function isCopied(source: Seen, result: Seen, track: number): boolean {
  const [before, after] = [source.measured.sound[track]?.sizes ?? [], result.measured.sound[track]?.sizes ?? []]
  const differences = new Set(before.map((size, at) => size - (after[at] ?? 0)))
  return before.length === after.length && differences.size === 1
}

/** Loudness of all, and of each channel where they stay what they were. */
function judgeLevels(
  name: string,
  before: readonly number[],
  after: readonly number[],
  isSameLayout: boolean,
  expect: Expect,
): void {
  const all = decibels(Math.hypot(...before), Math.hypot(...after))
  expect('sound', Math.abs(all) < 1.5, `${name} changed by ${all.toFixed(1)} dB`)
  if (!isSameLayout) return
  const each = before.map((level, at) => decibels(level, after[at] ?? 0))
  const changes = each.map((change) => change.toFixed(1)).join(', ')
  expect(
    'sound',
    each.every((change) => Math.abs(change) < 1.5),
    `the channels of ${name} changed by ${changes} dB`,
  )
}

function decibels(before: number, after: number): number {
  return 20 * Math.log10(Math.max(1e-4, after) / Math.max(1e-4, before))
}

function judgeTags(name: string, said: Omit<SoundSaid, 'layout'>, stream: Stream, expect: Expect): void {
  const language = stream.tags['language'] ?? 'und'
  expect('tags', language === (said.language ?? 'und'), `${name} is in ${language}, not ${said.language ?? 'und'}`)
  if (said.title !== undefined) {
    const titles = [stream.tags['title'], stream.tags['handler_name'], stream.tags['name']]
    expect('tags', titles.includes(said.title), `${name} is called ${titles[0]}, not ${said.title}`)
  }
  if (said.is_default !== undefined) {
    const isDefault = stream.disposition['default'] === 1
    expect('tags', isDefault === said.is_default, `${name} is ${isDefault ? '' : 'not '}the default`)
  }
}

function judgeTracks(
  holds: Contents,
  target: Target,
  result: Measured,
  notes: readonly string[],
  expect: Expect,
): void {
  const promised = promisedOf(holds, target)
  const codecs = result.subtitles.map((stream) => stream.codec_name)
  const wanted = promised.subtitles.map(({ becomes }) => becomes.join('|'))
  const isKept =
    codecs.length === wanted.length && codecs.every((codec, at) => promised.subtitles[at]?.becomes.includes(codec))
  expect('subtitles', isKept, `subtitles are ${codecs.join(', ') || 'none'}, not ${wanted.join(', ') || 'none'}`)
  if (isKept) {
    promised.subtitles.forEach((said, at) => {
      const stream = result.subtitles[at]
      if (stream === undefined) return
      judgeTags(`subtitles ${at + 1}`, said, stream, expect)
      // mp4 has no word for it.
      if (target.container !== 'mkv') return
      expect('tags', (stream.disposition['forced'] === 1) === (said.is_forced === true), `forced: subtitles ${at + 1}`)
    })
  }
  expect(
    'chapters',
    result.chapters.join('|') === promised.chapters.join('|'),
    `chapters: ${result.chapters.join('|')}`,
  )
  const { attachments, covers } = result
  expect('attachments', attachments.length === promised.attachments, `${attachments.length} attachments`)
  expect('covers', covers.length === promised.covers, `${covers.length} covers of ${promised.covers}`)
  expect('tags', result.title === holds.title, `titled ${result.title}, not ${holds.title}`)
  expect('outcome', result.films === 1, `${result.films} films`)
  // Chapters in mp4 have a track of their own.
  const most = target.container === 'mp4' || target.container === 'mov' ? Math.min(1, holds.chapters.length) : 0
  expect('outcome', result.data.length <= most, `${result.data.length} tracks of data`)
  for (const kind of Object.keys(noteKinds) as NoteKind[]) {
    const isTold = notes.some((note) => noteKinds[kind].test(note))
    const isMeant = promised.notes.includes(kind)
    expect('notes', isTold === isMeant, `${isTold ? 'told' : 'not told'} of ${kind}: ${notes.join('; ')}`)
  }
}
