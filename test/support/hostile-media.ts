/** Bytes of media files that lie, written by hand: a box or an element says what no honest program would write. */

/** A Matroska element: its id as hexadecimal digits, and what is in it. */
export function element(id: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const size = Buffer.alloc(8)
  // RFC 8794: a size of eight bytes begins with a 1.
  size.writeBigUInt64BE(BigInt(body.length) | (1n << 56n))
  return Buffer.concat([Buffer.from(id, 'hex'), size, body])
}

/** An element that holds a whole number. */
export function whole(id: string, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return element(id, bytes)
}

/** An element that holds a number with a fraction. */
export function real(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return element(id, bytes)
}

/** An element that holds a text. */
export function words(id: string, text: string): Buffer {
  return element(id, Buffer.from(text))
}

/** What a Matroska file of JPEG pictures claims; what is left out is honest. Times are in milliseconds. */
export interface MatroskaClaims {
  /** In the header; null for none. */
  duration?: number | null
  width?: number
  height?: number
  /** Further elements of the picture's track. */
  track?: readonly Buffer[]
  /** Whole tracks, chapters, tags and clusters, beside the picture. */
  tracks?: readonly Buffer[]
  others?: readonly Buffer[]
  /** Of each picture, from -32768 to 32767; 25 of them in a second unless told. */
  times?: readonly number[]
}

/** A Matroska file that shows the same JPEG picture again and again, or one per time where there are several. */
export function matroska(pictures: readonly Uint8Array[], claims: MatroskaClaims = {}): Buffer {
  const { duration = 1000, width = 16, height = 16, track = [], tracks = [], others = [] } = claims
  const times = claims.times ?? Array.from({ length: 25 }, (_, at) => at * 40)
  const info = [whole('2ad7b1', 1_000_000), words('4d80', 'x'), words('5741', 'x')]
  const blocks = times.map((time, at) => block(time, pictures[at] ?? pictures.at(-1) ?? Buffer.alloc(0)))
  return Buffer.concat([
    element('1a45dfa3', words('4282', 'matroska'), whole('4287', 4), whole('4285', 2)),
    element(
      '18538067',
      element('1549a966', ...info, ...(duration === null ? [] : [real('4489', duration)])),
      element('1654ae6b', videoTrack(1, width, height, track), ...tracks),
      ...others,
      cluster(0, blocks),
    ),
  ])
}

/** A track of JPEG pictures. */
export function videoTrack(number: number, width: number, height: number, more: readonly Buffer[] = []): Buffer {
  const size = element('e0', whole('b0', width), whole('ba', height))
  return element(
    'ae',
    whole('d7', number),
    whole('73c5', number),
    whole('83', 1),
    words('86', 'V_MJPEG'),
    size,
    ...more,
  )
}

/** A track of sound without compression, mono. */
export function soundTrack(number: number): Buffer {
  const form = element('e1', real('b5', 48_000), whole('9f', 1), whole('6264', 16))
  return element('ae', whole('d7', number), whole('73c5', number), whole('83', 2), words('86', 'A_PCM/INT/LIT'), form)
}

/** Blocks from a time on, which may be as far away as 64 bits reach. */
export function cluster(time: number | bigint, blocks: readonly Buffer[]): Buffer {
  return element('1f43b675', whole('e7', time), ...blocks)
}

/** One frame of track 1, `time` after its cluster. */
export function block(time: number, frame: Uint8Array): Buffer {
  const head = Buffer.from([0x81, 0, 0, 0x80])
  head.writeInt16BE(time, 1)
  return element('a3', head, frame)
}

/** A list of chapters, a second each. */
export function chapters(count: number): Buffer {
  const atoms = Array.from({ length: count }, (_, at) =>
    element('b6', whole('73c4', at + 1), whole('91', at * 1e9), element('80', words('85', `chapter ${at}`))),
  )
  return element('1043a770', element('45b9', whole('45bc', 1), ...atoms))
}

/** Tags of the file. */
export function tags(pairs: readonly (readonly [string, string])[]): Buffer {
  const simple = pairs.map(([name, value]) => element('67c8', words('45a3', name), words('4487', value)))
  return element('1254c367', element('7373', element('63c0'), ...simple))
}

/** A JPEG picture that claims another size. */
export function resized(jpeg: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg)
  // ITU-T T.81: after the marker come length, precision, lines, samples in a line.
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]))
  bytes.writeUInt16BE(height, frame + 5)
  bytes.writeUInt16BE(width, frame + 7)
  return bytes
}

/**
 * A grey JPEG picture of any size, whole in every block, four bytes for 16 x 16 pixels; `jpeg` gives the tables, and must be
 * 4:2:0 with the standard's Huffman codes.
 */
export function grey(jpeg: Buffer, width: number, height: number): Buffer {
  const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]))
  const head = resized(jpeg.subarray(0, scan + 2 + jpeg.readUInt16BE(scan + 2)), width, height)
  // No change of the mean and no detail: 00 1010 for each of four blocks of luma, 00 00 for each of two of chroma.
  const units = Buffer.alloc(4 * Math.ceil(width / 16) * Math.ceil(height / 16), Buffer.from([0x28, 0xa2, 0x8a, 0]))
  return Buffer.concat([head, units, Buffer.from([0xff, 0xd9])])
}

/** A box of ISO 14496-12. */
export function box(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(content.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, content])
}

/** Numbers of four bytes. */
export function fours(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, at) => bytes.writeUInt32BE(value, 4 * at))
  return bytes
}

const nesting = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'dinf'])

/** An mp4 whose boxes of these types hold something else, by what they held; undefined leaves one out. Its index must be last. */
export function rewritten(mp4: Buffer, edits: Record<string, (content: Buffer) => Buffer | undefined>): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= mp4.length;) {
    const size = mp4.readUInt32BE(at)
    const type = mp4.toString('latin1', at + 4, at + 8)
    const held = mp4.subarray(at + 8, at + size)
    const inner = nesting.has(type) ? rewritten(held, edits) : held
    const edit = edits[type]
    const content = edit ? edit(inner) : inner
    if (content !== undefined) parts.push(box(type, content))
    at += Math.max(8, size)
  }
  return Buffer.concat(parts)
}

/** QuickTime's reference to data in another file: an alias with the absolute path in its record of type 2. */
export function aliasTo(path: string): Buffer {
  const name = Buffer.from(path)
  const record = Buffer.alloc(4)
  record.writeUInt16BE(2)
  record.writeUInt16BE(name.length, 2)
  const padding = Buffer.alloc(name.length % 2)
  const alias = Buffer.concat([Buffer.alloc(150), record, name, padding, Buffer.from([0xff, 0xff, 0, 0])])
  return Buffer.concat([fours(0, 1), box('alis', Buffer.concat([fours(0), alias]))])
}

/** Texts that name other files or hosts, as a video may be in disguise. `target` is a URL. */
export const playlists: Record<string, (target: string) => string> = {
  'an HLS list': (target) => `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\n${target}\n#EXT-X-ENDLIST\n`,
  'an HLS list with a key': (target) =>
    `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="${target}"\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${target}\n#EXT-X-ENDLIST\n`,
  'an HLS list of lists': (target) => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${target}\n`,
  'an HLS list with a prefix': (target) =>
    `#EXTM3U\n#EXT-X-MAP:URI="${target}"\n#EXTINF:1,\nconcat:${target}|${target}\n`,
  'a concat script': (target) => `ffconcat version 1.0\nfile '${target.replace(/^file:/, '')}'\n`,
  'a concat script with options': (target) =>
    `ffconcat version 1.0\nfile '${target.replace(/^file:/, '')}'\noption safe 0\noption protocol_whitelist file,http,tcp\n`,
  'a DASH manifest': (target) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000" width="64" height="64" codecs="avc1.64001e"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`,
  'an SDP session': (target) =>
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=${target}\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${/:(\d+)/.exec(target)?.[1] ?? 50_004} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
  'an SVG picture': (target) =>
    `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64"><image xlink:href="${target}" width="64" height="64"/></svg>\n`,
  'an XML text with an entity': (target) =>
    `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "${target}">]><MPD xmlns="urn:mpeg:dash:schema:mpd:2011">&b;</MPD>\n`,
  'an ASX list': (target) => `<asx version="3.0"><entry><ref href="${target}"/></entry></asx>\n`,
  'a reference of RealMedia': (target) => `.RAM\n${target}\n`,
  'a reference of Windows Media': (target) => `[Reference]\nRef1=${target}\n`,
  'a list of a lossless recorder': (target) =>
    `[${target}]\nFILE "${target}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n`,
  'a script of AviSynth': (target) => `AviSource("${target}")\n`,
}
