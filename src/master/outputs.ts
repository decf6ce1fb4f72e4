import { basename, dirname, extname, join, relative } from 'node:path'
import { type Container, containers } from '../contract/conversion.ts'

/** Bytes of a file name on ext4, XFS, btrfs, ZFS, NFS and SMB; `NAME_MAX` of Linux. */
const maxNameBytes = 255

/** The id of a source path's job, 32 hexadecimal digits: the same path always has the same id. */
export function jobId(source_path: string): string {
  return new Bun.CryptoHasher('sha256').update(source_path).digest('hex').slice(0, 32)
}

/**
 * Where the result of a source may lie, absolute, in order of preference, mirroring the source's folder below
 * `output_base`: `film.mp4`, else `film.mkv.mp4`, else `film.1a2b3c4d.mp4` with the start of the job's id. `siblings` are
 * the video names of the source's folder that could want the same output (see `rivalNames`), in any order and with or
 * without its own: the first in code unit order gets `film.mp4`, so the answer depends on the names alone and not on
 * when each file was found.
 */
export function outputCandidates(
  source_path: string,
  root_path: string,
  output_base: string,
  container: Container,
  siblings: readonly string[] = [],
): string[] {
  const name = basename(source_path)
  const stem = stemOf(name)
  const hash = jobId(source_path).slice(0, 8)
  const folder = join(output_base, relative(root_path, dirname(source_path)))
  const preferred = [isFirstOfStem(name, siblings) ? stem : [], isFullNameFree(name, siblings) ? name : []].flat()
  const names = [...preferred, `${stem}.${hash}`].map((base) => outputName(base, container, hash))
  // A source whose output folder is its own folder would otherwise be overwritten by its result.
  return [...new Set(names)]
    .filter((output) => key(join(folder, output)) !== key(source_path))
    .map((output) => join(folder, output))
}

/**
 * Where the result of a source may lie that takes its source's place: in the same folder, under the very same name where the
 * extension is the same in any letter case. Else as `outputCandidates` says, but never where a sibling lies.
 */
export function replacementCandidates(
  source_path: string,
  container: Container,
  siblings: readonly string[] = [],
): string[] {
  if (extname(source_path).toLowerCase() === `.${container}`) return [source_path]
  const folder = dirname(source_path)
  const taken = new Set(siblings.map(key))
  return outputCandidates(source_path, folder, folder, container, siblings).filter(
    (path) => !taken.has(key(basename(path))),
  )
}

/** The container that a result's name tells of; undefined when it tells of none. */
export function containerNamed(output_path: string): Container | undefined {
  const extension = extname(output_path).toLowerCase()
  return containers.find((container) => extension === `.${container}`)
}

/** Video names of one folder by what their outputs would be called: a lookup that costs each name once. */
export function rivalNames(names: readonly string[]): (name: string) => readonly string[] {
  const byStem = new Map<string, string[]>()
  for (const name of names) {
    const stem = key(stemOf(name))
    const group = byStem.get(stem)
    if (group) group.push(name)
    else byStem.set(stem, [name])
  }
  return (name) => {
    const sameStem = byStem.get(key(stemOf(name))) ?? []
    const sameAsFullName = byStem.get(key(name))
    return sameAsFullName ? [...sameStem, ...sameAsFullName] : sameStem
  }
}

function isFirstOfStem(name: string, siblings: readonly string[]): boolean {
  return sharingStem(name, siblings).every((sibling) => name <= sibling)
}

/** Whether nobody with an older right wants `film.mkv.mp4`: a source `film.mkv.mp4`, or a `FILM.mkv` that sorts before. */
function isFullNameFree(name: string, siblings: readonly string[]): boolean {
  if (siblings.some((sibling) => key(stemOf(sibling)) === key(name))) return false
  const [, ...others] = [...new Set([...sharingStem(name, siblings), name])].toSorted()
  return !others.some((other) => other < name && key(other) === key(name))
}

function sharingStem(name: string, siblings: readonly string[]): string[] {
  const stem = key(stemOf(name))
  return siblings.filter((sibling) => key(stemOf(sibling)) === stem)
}

function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length)
}

/** Equal for names that are one file on a share that ignores letter case (SMB) or Unicode form (APFS). */
function key(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** `base.mp4`, cut and made unique by the hash when that would be longer than a file name may be. */
function outputName(base: string, container: Container, hash: string): string {
  const whole = `${base}.${container}`
  if (Buffer.byteLength(whole) <= maxNameBytes) return whole
  const ending = `.${hash}.${container}`
  return cutToBytes(base, maxNameBytes - Buffer.byteLength(ending)) + ending
}

function cutToBytes(text: string, maxBytes: number): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxBytes) break
    end += character.length
  }
  return text.slice(0, end)
}
