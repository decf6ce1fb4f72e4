/** One element of DER (X.690): tag, length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body])
}

/** SEQUENCE. */
export function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content)
}

/** INTEGER that is not negative, from its bytes, the highest first. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const shortest = first === -1 ? Buffer.from([0]) : bytes.subarray(first)
  // A first bit of 1 would make it negative.
  return der(0x02, Buffer.from((shortest[0] ?? 0) > 0x7f ? [0] : []), shortest)
}

/** OBJECT IDENTIFIER from its dotted form, such as `2.5.4.3`. */
export function objectId(dotted: string): Buffer {
  const [top = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([top * 40 + second, ...others.flatMap(base128)]))
}

/** UTF8String. */
export function utf8(text: string): Buffer {
  return der(0x0c, Buffer.from(text))
}

/** UTCTime until 2049 and GeneralizedTime from 2050 on, as RFC 5280 4.1.2.5 wants it; whole seconds. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/\D/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}

/** BIT STRING; `unused`: bits of the last byte that do not count. */
export function bits(bytes: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), bytes)
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes = base256(length)
  return [0x80 | bytes.length, ...bytes]
}

function base256(value: number): number[] {
  return value < 256 ? [value] : [...base256(Math.floor(value / 256)), value % 256]
}

/** Seven bits a byte, all but the last marked. */
function base128(value: number): number[] {
  const digits = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128))
  return digits
}
