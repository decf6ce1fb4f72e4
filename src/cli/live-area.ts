/** A few lines at the bottom of a terminal that are drawn again and again, with lasting lines passing above them. */
export class LiveArea {
  private readonly out: NodeJS.WriteStream
  private drawn = 0

  constructor(out: NodeJS.WriteStream) {
    this.out = out
  }

  /** Writes a line that stays. */
  print(line: string): void {
    this.clear()
    this.out.write(`${line}\n`)
  }

  /** Replaces the area. Lines that are too wide are cut, since a wrapped one could not be drawn over. */
  draw(lines: readonly string[]): void {
    this.clear()
    const width = this.out.columns || 80
    for (const line of lines) this.out.write(`${cut(line, width - 1)}\n`)
    this.drawn = lines.length
  }

  clear(): void {
    // Cursor up by the lines drawn, then erase to the end of the screen (ECMA-48 CUU and ED).
    if (this.drawn > 0) this.out.write(`\u001B[${this.drawn}A\u001B[0J`)
    this.drawn = 0
  }
}

function cut(line: string, width: number): string {
  if (Bun.stringWidth(line) <= width) return line
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    if (Bun.stringWidth(kept + segment) >= width) break
    kept += segment
  }
  return `${kept}…`
}
