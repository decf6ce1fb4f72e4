/** `0:42`, `1:02:03`: a position in a film. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const tail = `${String(Math.floor(whole / 60) % 60).padStart(whole >= 3600 ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${tail}` : tail
}

/** `850 ms`, `42 s`, `5 minutes`, `3 hours`, `42 days`: how long something takes, to one unit. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} minutes`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} hours`
  return `${formatCount(Math.round(seconds / 86_400))} days`
}

/** `set aside for 2 minutes after 3 failures: the driver hung` */
export function formatSetAside(seconds: number, { failures, reason }: { failures: number; reason: string }): string {
  const times = `${failures} ${failures === 1 ? 'failure' : 'failures'}`
  return `set aside for ${formatDuration(seconds)} after ${times}: ${reason}`
}

/** `512 B`, `1.5 MB`, `2.1 TB`: powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `45,230` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** A foreign text on one line: control characters, which move cursors and rewrite what a terminal shows, become escapes. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const short = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` }[character]
    return short ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  })
}
