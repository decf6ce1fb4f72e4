import { type Moves, systemMoves } from '../../../src/master/moves.ts'

/** A disk that after some changes of names takes no more, not even those that would put things back, until it is mended. */
export interface FailingDisk {
  moves: Moves
  /** Lets so many changes through, and no more. */
  failAfter: (changes: number) => void
  mend: () => void
}

export function failingDisk(after: number): FailingDisk {
  let left = after
  const step = async (move: () => Promise<void>) => {
    if (left-- <= 0) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    await move()
  }
  return {
    moves: {
      link: (from, to) => step(() => systemMoves.link(from, to)),
      rename: (from, to) => step(() => systemMoves.rename(from, to)),
      unlink: (path) => step(() => systemMoves.unlink(path)),
    },
    failAfter: (changes) => (left = changes),
    mend: () => (left = Infinity),
  }
}
