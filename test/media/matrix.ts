import { type Aspect, colorOf, type Fault, type Seen, syncOf } from './judge.ts'
import type { Converted } from './studio.ts'

/** One conversion of the corpus. */
export interface Row {
  clip: string
  target: string
  /** What came of it; the sentence for what was refused. */
  outcome: Converted | string
  faults: readonly Fault[]
  /** Of what it is known that it is not kept yet. */
  marks: readonly Aspect[]
}

const heads = [
  'clip',
  'to',
  'size',
  'colours',
  'HDR',
  'pictures',
  'start',
  'end',
  'clap',
  'sound',
  'subtitles',
  'ch',
  'notes',
  '',
]

/** A table of all rows; start, end and clap say by how many milliseconds sound is later than in the source. */
export function matrix(rows: readonly Row[]): string {
  const cells = [heads, ...rows.map(cellsOf)]
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cellsOf({ clip, target, outcome, faults, marks }: Row): string[] {
  const wrong = faults.map(({ aspect, message }) => `${aspect}: ${message}`).join('; ')
  const verdict = faults.length === 0 ? 'ok' : `${marks.length > 0 ? 'PENDING' : 'WRONG'} ${wrong}`
  if (typeof outcome === 'string') {
    return [clip, target, '', '', '', '', '', '', '', '', '', '', outcome.slice(0, 70), verdict]
  }
  const { source, result, convert } = outcome
  const sync = syncOf(source, result)
  const { film } = result.measured
  return [
    clip,
    target,
    `${film.width}x${film.height} ${film.pix_fmt}`,
    Object.values(colorOf(film))
      .map((tag) => tag ?? '-')
      .join('/'),
    Object.entries(result.watched.hdr)
      .flatMap(([name, figures]) => (figures === null ? [] : [name]))
      .join('+'),
    `${source.watched.pictures.length}>${result.watched.pictures.length}`,
    list(sync.starts.map(({ ms }) => ms)),
    list(sync.ends.map(({ ms }) => ms)),
    list(sync.claps),
    soundOf(result),
    result.measured.subtitles.map((stream) => stream.codec_name).join(),
    String(result.measured.chapters.length || ''),
    convert.notes.join('; '),
    verdict,
  ]
}

function soundOf({ measured }: Seen): string {
  return measured.sounds.map((stream) => `${stream.codec_name} ${stream.channel_layout}`).join(', ')
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1).replace('-0.0', '0.0')).join()
}
