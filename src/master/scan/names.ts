import { extname } from 'node:path'

/** Endings that downloaders, browsers and copy tools give to what they have not finished. */
const partialEndings = new Set([
  '.part',
  '.partial',
  '.crdownload',
  '.opdownload',
  '.download',
  '.filepart',
  '.incomplete',
  '.unfinished',
  '.tmp',
  '.temp',
  '.aria2',
  '.!qb',
  '.!ut',
  '.!bt',
  '.bc!',
])

/** aria2 keeps `film.mp4.aria2` beside `film.mp4` until the download is complete. */
const companionEnding = '.aria2'

/** Folders in which NAS systems and operating systems keep thumbnails, snapshots and what was deleted; lower case. */
const systemFolders = new Set([
  '@eadir',
  '@recycle',
  '@recently-snapshot',
  '#recycle',
  '#snapshot',
  '$recycle.bin',
  'system volume information',
  'lost+found',
])

/** Whether a file of this name can be a source: a video extension, not hidden, not marked as unfinished. */
export function isVideoName(name: string, video_extensions: readonly string[]): boolean {
  const extension = extname(name)
  if (!video_extensions.includes(extension.toLowerCase()) || isLeftAlone(name)) return false
  // `film.part.mp4`, `film.temp.mp4`: yt-dlp and others keep the extension last, so that ffmpeg knows the format.
  // `.download` is a word that titles hold too, and no tool is known to write it in this place.
  const inner = extname(name.slice(0, -extension.length)).toLowerCase()
  return inner === '.download' || !partialEndings.has(inner)
}

/** Whether the scan enters a folder of this name. Safari keeps an unfinished download in a folder `film.mp4.download`. */
export function isFolderName(name: string): boolean {
  return !isLeftAlone(name) && !systemFolders.has(name.toLowerCase())
}

/** Hidden (our own `.darkstream` among them), or marked as unfinished or as a backup at its end. */
export function isLeftAlone(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || partialEndings.has(extname(name).toLowerCase())
}

/** The video that a companion file says is still being downloaded; undefined when the name is not a companion's. */
export function companionOf(name: string): string | undefined {
  return name.toLowerCase().endsWith(companionEnding) ? name.slice(0, -companionEnding.length) : undefined
}

/** Whether a name holds U+FFFD, which is all that Bun's `readdir` leaves of bytes that are not UTF-8. */
export function mayBeInvalid(name: string): boolean {
  return name.includes('\u{fffd}')
}
