import { isIP } from 'node:net'

/**
 * The one spelling of a host, also of one with a port as in a `Host` header: lower case, ASCII, without a dot at its end;
 * IPv4 as four numbers, IPv6 in brackets. Undefined for what is no host.
 */
export function hostName(text: string): string | undefined {
  // A zone (`fe80::1%eth0`) is a matter of this machine alone.
  const host = isIP(text) === 6 ? `[${text.split('%')[0]}]` : text
  // A URL would take these for something beside the host, decode them, or leave them out.
  if (/[/?#@\\%\s]/.test(host)) return undefined
  return URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '') || undefined
}

/** Whether a name, spelled as `hostName` does, is an IP address. */
export function isAddress(name: string): boolean {
  return name.startsWith('[') || isIP(name) !== 0
}
