import { hostName } from './host-name.ts'

/** Whether an address to listen on, or to knock at, is this machine's alone: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopback(host: string): boolean {
  const name = hostName(host) ?? ''
  // `::ffff:127.0.0.1` is an IPv4 address in IPv6's clothes, which URLs write in hexadecimal digits.
  return /^(127\.\d+\.\d+\.\d+|(.+\.)?localhost|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/.test(name)
}
