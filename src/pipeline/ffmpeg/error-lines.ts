/**
 * Whether a line of `-loglevel level+warning` tells of an error or, as a warning, of a packet or frame with a hole in it.
 * None of the healthy files of our corpus causes such a line, and every damaged one does.
 */
export function isErrorLine(line: string): boolean {
  return /\[(error|fatal|panic)\] |corrupt (decoded frame|input packet)|Packet corrupt/.test(line)
}

/** A line without its component's address and level: `[h264 @ 0x55d0] [error] no frame!` is `h264: no frame!`. */
export function plain(line: string): string {
  return line
    .replace(/^\[([^@\]]+) @ [^\]]+\] /, '$1: ')
    .replace(/\[(warning|error|fatal|panic)\] /, '')
    .slice(0, 200)
}
