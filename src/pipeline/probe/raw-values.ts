/** A number as ffprobe writes it: some as text, some left out. */
export type RawNumber = string | number | undefined

/** Seconds that a file may claim to last, ten years; one that claims more tells nothing. */
const longestSeconds = 10 * 365 * 86_400

/** Matroska counts lengths from time zero, wherever the first frame stands: what was cut from a stream may start at an hour. */
export function sinceStart(end: RawNumber, start: RawNumber): number | null {
  const seconds = duration(end)
  return seconds === null ? null : positive(seconds - Math.max(0, finite(start) ?? 0))
}

/** Seconds of a length; null for what cannot be one. */
export function duration(value: RawNumber): number | null {
  const seconds = positive(value)
  return seconds !== null && seconds <= longestSeconds ? seconds : null
}

/** `30000/1001`, `64:45`; null for `0/0`, `0:1` and what is no ratio. */
export function ratio(text: string): number | null {
  const match = /^(\d+)[/:](\d+)$/.exec(text)
  return match === null ? null : positive(Number(match[1]) / Number(match[2]))
}

/** A word of FFmpeg's for a property; null for those that it has for none. */
export function known(tag: string | undefined): string | null {
  return tag === undefined || tag === 'unknown' || tag === 'unspecified' || tag === 'reserved' ? null : tag
}

/** Null for what is no number. */
export function finite(value: RawNumber): number | null {
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : null
}

/** Null for what is no number above 0. */
export function positive(value: RawNumber): number | null {
  const number = finite(value)
  return number !== null && number > 0 ? number : null
}
