import { formatDurationText, parseDuration } from './quantities.ts'
import type { ValueType } from './values.ts'

const [least, most] = ['1d', '36500d']

/** How old something may become before it goes, in whole milliseconds; 0 for any age. No timer: it may exceed 24 days. */
export const Age: ValueType<number> = {
  expected: `a duration from ${least} to ${most}, or 0, such as 90d`,
  parse(text) {
    const ms = parseDuration(text)
    const isFit = ms !== undefined && ms >= (parseDuration(least) ?? 0) && ms <= (parseDuration(most) ?? 0)
    return isFit || ms === 0 ? ms : undefined
  },
  hint: (text) => (/^\d+$/.test(text.trim()) ? `write ${text.trim()}d` : undefined),
  format: formatDurationText,
}
