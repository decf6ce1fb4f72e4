/** The candidate that a mistyped word most likely meant, or undefined when none is close. Case, `_`, `-` do not count. */
export function nearest<T extends string>(word: string, candidates: readonly T[]): T | undefined {
  // Longer than any candidate: not a slip of the keyboard, and the comparison would cost its square.
  if (word.length > 64) return undefined
  let best: T | undefined
  let bestDistance = Infinity
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate))
    const limit = Math.max(1, Math.floor(candidate.length / 3))
    if (distance < bestDistance && distance <= limit && distance < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** How many letters must be added, left out, changed or swapped with their neighbour. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let least = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      )
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (isSwap) least = Math.min(least, at(beforePrevious, column - 2) + 1)
      current.push(least)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '')
}
