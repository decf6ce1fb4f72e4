import { canonicalAddress, isInNetwork } from './ip-address.ts'

/** Who sent a request and what he asked for, as far as it is known. */
export interface Caller {
  /** Of the one who asks, not of the proxies in between; undefined without a socket. */
  address: string | undefined
  /** Host and port that he asked for, when a proxy that is believed says so. */
  host?: string | undefined
  /** How he came to the outermost proxy that is believed. */
  scheme?: 'http' | 'https' | undefined
}

/** A step of a request's way, as a proxy tells it. */
interface Hop {
  address: string | undefined
  /** In lower case, as browsers have them. */
  host: string | undefined
  scheme: string | undefined
}

/** Steps that are looked at: no real way is longer. */
const maxHops = 32

/**
 * Who asks, by what trusted proxies say of it (`Forwarded`, RFC 7239, or `X-Forwarded-*`), each of whom adds the one before
 * him at the end. What a stranger wrote before that is never looked at. Where the two kinds of headers differ, one of them
 * went through a proxy that does not know it, and is the caller's own invention: neither counts.
 */
export function callerOf(peer: string | undefined, headers: Headers, trusted: readonly string[]): Caller {
  if (peer === undefined || !isTrusted(peer, trusted)) return { address: peer }
  const tellings = [standardHops(headers), usualHops(headers)]
    .map((hops) => callerIn(hops, peer, trusted))
    .filter((caller) => caller !== undefined)
  const agreed = (part: keyof Hop) => {
    const [one, ...others] = tellings.map((caller) => caller[part])
    return others.every((other) => other === one) ? one : undefined
  }
  const scheme = agreed('scheme')
  return {
    address: agreed('address') ?? peer,
    host: agreed('host'),
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
  }
}

/** Whether it comes from a proxy that is believed. */
export function isTrusted(address: string, trusted: readonly string[]): boolean {
  return trusted.some((network) => isInNetwork(address, network))
}

/** Goes back the way from the nearest proxy on, as long as those who tell of it are believed. */
function callerIn(hops: readonly Hop[], peer: string, trusted: readonly string[]): Hop | undefined {
  let caller: Hop | undefined
  let teller = peer
  for (const hop of hops.toReversed()) {
    if (!isTrusted(teller, trusted)) break
    caller = { ...hop, address: hop.address ?? teller }
    // What has no address was sent by somebody unknown, and so is all before it.
    if (hop.address === undefined) break
    teller = hop.address
  }
  return caller
}

/** `for=192.0.2.43;host=media.example;proto=https, for="[2001:db8::1]:4711"`; none where the quoting is broken. */
function standardHops(headers: Headers): Hop[] {
  const text = headers.get('Forwarded') ?? ''
  if (!/^(?:[^"]|"(?:\\.|[^"\\])*")*$/.test(text)) return []
  return outsideQuotes(text, ',')
    .slice(-maxHops)
    .map((element) => {
      const pairs = outsideQuotes(element, ';').map((pair) => {
        const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(pair) ?? []
        return [
          name.trim().toLowerCase(),
          value
            .trim()
            .replaceAll(/^"|"$|\\(?=.)/g, '')
            .toLowerCase(),
        ]
      })
      const { for: address = '', host, proto } = Object.fromEntries(pairs) as Record<string, string | undefined>
      return { address: addressOf(address), host, scheme: proto }
    })
}

function outsideQuotes(text: string, separator: ',' | ';'): string[] {
  const pieces = separator === ',' ? /(?:"(?:\\.|[^"\\])*"|[^",])+/g : /(?:"(?:\\.|[^"\\])*"|[^";])+/g
  return (text.match(pieces) ?? []).map((piece) => piece.trim()).filter((piece) => piece !== '')
}

/** `X-Forwarded-For: 192.0.2.43, 10.0.0.1`; host and scheme in lists of the same length, or the last one's alone. */
function usualHops(headers: Headers): Hop[] {
  const [addresses, hosts, schemes] = ['For', 'Host', 'Proto'].map((name) => listOf(headers.get(`X-Forwarded-${name}`)))
  if (addresses === undefined || hosts === undefined || schemes === undefined) return []
  if (addresses.length + hosts.length + schemes.length === 0) return []
  const count = Math.min(Math.max(addresses.length, 1), maxHops)
  // From the end: a proxy adds there, or puts its own in the place of all.
  const at = (list: readonly string[], index: number) => list[Math.max(0, list.length - count + index)]
  return Array.from({ length: count }, (_, index) => ({
    address: addressOf(addresses.slice(-count)[index] ?? ''),
    host: at(hosts, index),
    scheme: at(schemes, index),
  }))
}

function listOf(header: string | null): string[] {
  return (header ?? '').split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim().toLowerCase()]))
}

/** An address with or without a port; undefined for `unknown`, for a made-up name (`_hidden`) and for nonsense. */
function addressOf(text: string): string | undefined {
  const [, bare = text] = /^\[([^\]]*)\](?::\w+)?$/.exec(text) ?? /^([^:]*):\w+$/.exec(text) ?? []
  return canonicalAddress(bare)
}
