import * as v from 'valibot'

/** A non-empty text without control characters, at most `maxLength` UTF-16 units: an id, a host name, a label. */
export function Name(maxLength = 200) {
  return v.pipe(
    v.string('must be a text'),
    v.nonEmpty('must not be empty'),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
    v.regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters'),
  )
}

/** A free text that is cut, not refused, when it is longer than `maxLength`: messages of foreign workers can be long. */
export function Text(maxLength: number) {
  return v.pipe(
    v.string('must be a text'),
    v.transform((text) => text.slice(0, maxLength)),
  )
}

/** A whole number within bounds; in a query it arrives as decimal digits. */
export function Integer(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const message = `must be a whole number from ${min} to ${max}`
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^-?\d{1,16}$/), v.transform(Number))], message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
}

/** A yes or no; in a query it arrives as `true`, `false`, `1` or `0`. */
export const Flag = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false', '1', '0'])], 'must be true or false'),
  v.transform((flag) => flag === true || flag === 'true' || flag === '1'),
)

const percentMessage = 'must be a number from 0 to 100'
/** A share of a whole, 0 to 100. */
export const Percent = v.pipe(v.number(percentMessage), v.minValue(0, percentMessage), v.maxValue(100, percentMessage))

/** The id of a job. Those of the original hold file names, so nearly anything may be in one. */
export const JobId = v.pipe(
  v.string('must be a text'),
  v.nonEmpty('must not be empty'),
  v.maxLength(1024, 'is too long'),
)

/** A CRC-32, that of zlib and gzip, in hex digits, which are made lower case. */
export const Crc32 = v.pipe(
  v.string('is missing'),
  v.regex(/^[0-9a-f]{8}$/i, 'must be a CRC-32 in 8 hex digits'),
  v.toLowerCase(),
)

/** A SHA-256 in hex digits. */
export const Sum = v.pipe(
  v.string('must be a text'),
  v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 lower-case hex digits'),
)
