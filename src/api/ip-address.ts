import { isIP } from 'node:net'

/**
 * The bytes of an IP address: four, or sixteen; four for an IPv4 address in IPv6's clothes (`::ffff:10.0.0.1`). Undefined
 * for what is none. A zone (`fe80::1%eth0`) is left out.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  const [address = ''] = text.split('%')
  const version = isIP(address)
  if (version === 4) return Uint8Array.from(address.split('.').map(Number))
  if (version !== 6) return undefined
  const bytes = bytesOfGroups(address)
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  return isMapped ? bytes.subarray(12) : bytes
}

/** The one spelling of an address that it is counted by; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = addressBytes(text)
  if (bytes === undefined) return undefined
  return bytes.length === 4 ? bytes.join('.') : new URL(`http://[${text.split('%')[0]}]`).hostname.slice(1, -1)
}

/** Whether an address lies in a network such as `10.0.0.0/8` or `fd00::/8`, or is the one address `10.0.0.1`. */
export function isInNetwork(address: string, network: string): boolean {
  const [base = '', length] = network.split('/')
  const [ours, theirs] = [addressBytes(address), addressBytes(base)]
  if (ours === undefined || theirs === undefined || ours.length !== theirs.length) return false
  const most = theirs.length * 8
  // `::ffff:10.0.0.0/104` counts the 96 bits before the address.
  const bits = length === undefined ? most : Number(length) - (most === 32 && base.includes(':') ? 96 : 0)
  return ours.every((byte, index) => {
    const used = Math.min(8, Math.max(0, bits - index * 8))
    return byte >> (8 - used) === (theirs[index] ?? 0) >> (8 - used)
  })
}

function bytesOfGroups(address: string): Uint8Array {
  // A URL writes every IPv6 address in one way: hexadecimal groups, the longest run of zeros left out.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [first, last] = [groupsOf(head), groupsOf(tail)]
  const groups = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
