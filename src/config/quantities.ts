import type { ValueType } from './values.ts'

const msPerUnit = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const durationPattern =
  /^(?:([\d.]+)\s*d)?\s*(?:([\d.]+)\s*h)?\s*(?:([\d.]+)\s*m(?!s))?\s*(?:([\d.]+)\s*s)?\s*(?:([\d.]+)\s*ms)?$/

/** The longest duration, in milliseconds: a timer set for more than 2^31 - 1 ms fires at once. */
const longestDuration = 24 * msPerUnit.d

/** Whole milliseconds from a text such as `500ms`, `30s`, `1h30m` or `1.5h`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const word = text.trim()
  if (/^0+$/.test(word)) return 0
  // The pattern's optional spaces could be tried in very many ways on a very long text.
  const amounts = word === '' || word.length > 60 ? null : durationPattern.exec(word)
  if (!amounts) return undefined
  let ms = 0
  for (const [index, unit] of Object.values(msPerUnit).entries()) {
    const amount = amounts[index + 1]
    const part = amount === undefined ? 0 : scaled(amount, unit)
    if (part === undefined) return undefined
    ms += part
  }
  return ms
}

/** `2h`, `1m30s`, `500ms`, `0s`: reads back as the same number of milliseconds. */
export function formatDurationText(ms: number): string {
  let rest = ms
  let text = ''
  for (const [unit, size] of Object.entries(msPerUnit)) {
    const amount = Math.floor(rest / size)
    if (amount > 0) text += `${amount}${unit}`
    rest -= amount * size
  }
  return text || '0s'
}

/** A duration in whole milliseconds, `min` (as people write it) to 24 days; with `zero`, 0 is allowed too. */
export function Duration(min: string, options: { zero?: boolean } = {}): ValueType<number> {
  const least = parseDuration(min) ?? 0
  const bounds = `from ${min} to ${formatDurationText(longestDuration)}`
  return {
    expected: `a duration ${bounds}${options.zero && least > 0 ? ', or 0' : ''}, such as 30s or 1h30m`,
    parse(text) {
      const ms = parseDuration(text)
      if (ms === undefined || ms > longestDuration) return undefined
      return ms >= least || (options.zero && ms === 0) ? ms : undefined
    },
    hint: (text) => (/^\d+(\.\d+)?$/.test(text.trim()) && Number(text) > 0 ? `write ${text.trim()}s` : undefined),
    format: formatDurationText,
  }
}

const bitsPerUnit: Record<string, number> = { '': 1, k: 1000, m: 1_000_000, g: 1_000_000_000 }

/** Bits per second from a text such as `5M`, `128k`, `2.5Mbps` or `5000000`; undefined for anything else. */
export function parseBitrate(text: string): number | undefined {
  const match = /^([\d.]+)\s*([kmg]?)(?:bps|bit\/s|b\/s)?$/i.exec(text.trim())
  if (!match || /B\/s$|Bps$/.test(text.trim())) return undefined
  return scaled(match[1] ?? '', bitsPerUnit[(match[2] ?? '').toLowerCase()] ?? 1)
}

/** `5M`, `128k`, `1234567`: reads back as the same number of bits per second. */
export function formatBitrate(bits: number): string {
  if (bits >= 1_000_000 && bits % 10_000 === 0) return `${bits / 1_000_000}M`
  if (bits >= 1000 && bits % 100 === 0) return `${bits / 1000}k`
  return String(bits)
}

/** Bits per second, `min` to `max` inclusive, both as people write them. */
export function Bitrate(min: string, max: string): ValueType<number> {
  const least = parseBitrate(min) ?? 0
  const most = parseBitrate(max) ?? 0
  return {
    expected: `a bitrate from ${min} to ${max} bits per second, such as 5M or 128k`,
    parse(text) {
      const bits = parseBitrate(text)
      return bits !== undefined && bits >= least && bits <= most ? bits : undefined
    },
    hint: (text) => (/\d\s*[kmg]?B(ps|\/s)?$/i.test(text.trim()) ? 'in bits, not bytes' : undefined),
    format: formatBitrate,
  }
}

const bytesPerUnit: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/** Bytes from a text such as `1G`, `500M`, `1.5TB`, `0`: powers of 1000, as disks are sold; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^([\d.]+)\s*([kmgt]?)B?$/i.exec(text.trim())
  return match ? scaled(match[1] ?? '', bytesPerUnit[(match[2] ?? '').toLowerCase()] ?? 1) : undefined
}

/** `1G`, `1.5M`, `1234567`: reads back as the same number of bytes. */
export function formatSize(bytes: number): string {
  for (const [letter, size] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (bytes >= size && bytes % (size / 100) === 0) return `${bytes / size}${letter}`
  }
  return String(bytes)
}

/** Bytes of storage, 0 to 1000 T. */
export const Size: ValueType<number> = {
  expected: 'a size such as 1G, 500M or 0, at most 1000T',
  parse(text) {
    const bytes = parseSize(text)
    return bytes !== undefined && bytes <= 1e15 ? bytes : undefined
  },
  hint: (text) => (/\d\s*[kmgt]iB?$/i.test(text.trim()) ? 'in powers of 1000, without the i' : undefined),
  format: formatSize,
}

/** A share such as 0.9 or 90%, `min` to `max` inclusive. */
export function Ratio(min: number, max: number): ValueType<number> {
  return {
    expected: `a share from ${min} to ${max}, such as 0.9 or 90%`,
    parse(text) {
      const match = /^(\d{1,6}(?:\.\d{1,6})?)\s*(%?)$/.exec(text.trim())
      if (!match) return undefined
      const share = Number(match[1]) / (match[2] === '%' ? 100 : 1)
      return share >= min && share <= max ? share : undefined
    },
    format: (value) => value,
  }
}

/** Pixels of a box, both sides even, 2 to 16384. */
export type ResolutionBox = { width: number; height: number }

const namedResolutions = new Map(
  Object.entries({
    '480p': '854x480',
    '720p': '1280x720',
    '1080p': '1920x1080',
    '1440p': '2560x1440',
    '2160p': '3840x2160',
    '4k': '3840x2160',
    '4320p': '7680x4320',
    '8k': '7680x4320',
  }),
)

/** `1920x1080`, or the height's common name such as `1080p` or `4k`. */
export const Resolution: ValueType<ResolutionBox> = {
  expected: 'a size such as 1920x1080 or 1080p, both numbers even, 2 to 16384',
  parse(text) {
    const word = text.trim().toLowerCase()
    const match = /^(\d{1,5})\s*[x×]\s*(\d{1,5})$/.exec(namedResolutions.get(word) ?? word)
    const width = Number(match?.[1])
    const height = Number(match?.[2])
    return isSide(width) && isSide(height) ? { width, height } : undefined
  },
  format: ({ width, height }) => `${width}x${height}`,
}

/** Even, because 4:2:0 video halves both sides; 16384 is what H.264 and HEVC levels end near. */
function isSide(pixels: number): boolean {
  return pixels >= 2 && pixels <= 16_384 && pixels % 2 === 0
}

/** A decimal times a unit, in whole numbers so that `2.51M` is exactly 2510000; undefined unless it comes out whole. */
function scaled(decimal: string, unit: number): number | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,9}))?$/.exec(decimal)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  const dividend = BigInt(`${match[1]}${fraction}`) * BigInt(unit)
  const divisor = 10n ** BigInt(fraction.length)
  const value = dividend / divisor
  return dividend % divisor === 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}
