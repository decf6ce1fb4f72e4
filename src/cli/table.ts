import { printable } from '../util/format.ts'

/** Columns under their titles, as wide as what they hold; the last one is not padded. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows.map((row) => row.map(printable))]
  const widths = titles.map((_, column) => Math.max(...all.map((row) => Bun.stringWidth(row[column] ?? ''))))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, column))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')

  function pad(cell: string, column: number): string {
    return column === titles.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - Bun.stringWidth(cell))
  }
}

/** The lines of a list as a tree: `├─` before each, `└─` before the last. */
export function tree(lines: readonly string[]): string {
  return lines.map((line, index) => `${index === lines.length - 1 ? '└─' : '├─'} ${printable(line)}\n`).join('')
}

/** A list whose entries have lists of their own. */
export function deepTree(entries: readonly { line: string; lines: readonly string[] }[]): string {
  return entries
    .map(({ line, lines }, index) => {
      const isLast = index === entries.length - 1
      const below = tree(lines).replaceAll(/^(?=.)/gm, isLast ? '   ' : '│  ')
      return `${isLast ? '└─' : '├─'} ${printable(line)}\n${below}`
    })
    .join('')
}
