/** Where the master has a folder, and where this host has it; both absolute, of POSIX or of Windows. */
export interface PathMapping {
  from: string
  to: string
}

/**
 * A path of the master as this host has it: the mapping of the longest folder that it lies in, by whole names, takes that
 * folder's place; without one the path stays as it is. Undefined for what cannot be a path here: a name with a backslash on
 * Windows, or one that climbs out of its folder.
 */
export function mapPath(path: string, map: readonly PathMapping[]): string | undefined {
  const names = namesOf(path)
  const fits = map.filter(({ from }) => isPrefix(namesOf(from), names, isWindows(from)))
  const best = fits.toSorted((one, other) => namesOf(other.from).length - namesOf(one.from).length)[0]
  if (names.includes('..') || names.includes('.')) return undefined
  if (best === undefined) return path
  const rest = names.slice(namesOf(best.from).length)
  const separator = isWindows(best.to) ? '\\' : '/'
  if (rest.some((name) => name.includes(separator))) return undefined
  const base = best.to.replace(/[\\/]+$/, '')
  if (rest.length > 0) return [base, ...rest].join(separator)
  // The root of a disk is nothing without its slash.
  return base === '' || /^[a-z]:$/i.test(base) ? base + separator : base
}

/** The spellings under which a name may lie: file servers compose accents (NFC) or take them apart (NFD). */
export function spellings(path: string): string[] {
  return [...new Set([path, path.normalize('NFC'), path.normalize('NFD')])]
}

function isWindows(path: string): boolean {
  return /^([a-z]:([\\/]|$)|\\\\)/i.test(path)
}

/** A path's names, a drive (`Z:`) or a server's mark (`\\`) the first; the root of POSIX has none. */
function namesOf(path: string): string[] {
  const names = path.split(isWindows(path) ? /[\\/]+/ : /\/+/).filter((name) => name !== '')
  return path.startsWith('\\\\') ? ['\\\\', ...names] : names
}

function isPrefix(folder: readonly string[], names: readonly string[], ignoresCase: boolean): boolean {
  return folder.every((name, index) => {
    const other = names[index]
    return other !== undefined && spelt(name, ignoresCase) === spelt(other, ignoresCase)
  })
}

function spelt(name: string, ignoresCase: boolean): string {
  return ignoresCase ? name.normalize().toLowerCase() : name.normalize()
}
