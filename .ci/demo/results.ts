import { join } from 'node:path'

/** What ffprobe finds in a file. */
interface Video {
  codec: string
  size: string
  seconds: number
}

/** Seconds by which a result may differ from its source: the last frame and the last block of sound. */
const tolerance = 0.5

/** A line for each source with its result, and whether each has one of the same length. */
export async function results(source: string, converted: string): Promise<{ table: string; isComplete: boolean }> {
  const [before, after] = await Promise.all([probeAll(source), probeAll(converted)])
  const rows = [...before].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, video]) => row(name, video, after))
  return {
    table: align([['file', 'source', 'result', 'length'], ...rows.map((row) => row.cells)]),
    isComplete: rows.length > 0 && rows.every((row) => row.isGood),
  }
}

function row(name: string, video: Video, after: Map<string, Video>): { cells: string[]; isGood: boolean } {
  const result = after.get(name)
  const isGood = result !== undefined && Math.abs(result.seconds - video.seconds) <= tolerance
  return { cells: [name, describe(video), describe(result), `${result?.seconds.toFixed(1) ?? '-'} s`], isGood }
}

function describe(video: Video | undefined): string {
  return video === undefined ? 'missing' : `${video.codec} ${video.size}`
}

/** By path in the folder without the extension, which a conversion may change. */
async function probeAll(folder: string): Promise<Map<string, Video>> {
  const videos = new Map<string, Video>()
  for await (const path of new Bun.Glob('**/*.{mkv,avi,webm,mov,mp4}').scan(folder)) {
    const video = await probe(join(folder, path))
    if (video) videos.set(path.slice(0, path.lastIndexOf('.')), video)
  }
  return videos
}

/** Undefined when ffprobe finds no video in the file. */
async function probe(path: string): Promise<Video | undefined> {
  const entries = ['-show_entries', 'stream=codec_name,width,height:format=duration']
  const argv = ['ffprobe', '-v', 'error', '-select_streams', 'v:0', ...entries, '-of', 'json', `file:${path}`]
  const { stdout } = Bun.spawnSync(argv, { stderr: 'inherit' })
  const { streams, format } = JSON.parse(stdout.toString() || '{}') as Probed
  const stream = streams?.[0]
  if (!stream || !format) return undefined
  return { codec: stream.codec_name, size: `${stream.width}x${stream.height}`, seconds: Number(format.duration) }
}

interface Probed {
  streams?: { codec_name: string; width: number; height: number }[]
  format?: { duration: string }
}

function align(rows: readonly string[][]): string {
  const columns = rows[0]?.map((_, index) => Math.max(...rows.map((row) => Bun.stringWidth(row[index] ?? '')))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, index) => pad(cell, columns[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)))
}
