import { lstat, mkdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf } from '../../util/errno.ts'
import { linkTo, type Moves, moveToFreeName, NameTakenError, syncFolders } from '../moves.ts'
import { PublishError, type PublishedFile } from '../publish.ts'

/** One file takes another's place, which is kept aside. All paths absolute and on one file system. */
export interface Swap {
  /** The file that comes, and what it looks like. */
  from: string
  arriving: PublishedFile
  /** Its name from now on. */
  to: string
  /** The file that goes, and what it looks like; the same name as `to`, or another one. */
  old: string
  leaving: PublishedFile
  /** Where it is kept, in a folder of this swap alone. */
  aside: string
  /** Whether it is no matter when the file that goes is gone already. */
  mayBeGone: boolean
}

/** The file that goes is not the one that was meant: somebody wrote to it, or put another one in its place. */
export class ChangedMeanwhileError extends PublishError {}

/**
 * Swaps two files so that a reader finds a whole one under the old or the new name at any moment, and none is lost whenever
 * the process or the machine dies. Called again with the same words it goes on from wherever an earlier call was cut short.
 * Where the file system has no second names, a file that takes the very name of the other leaves that name empty for a
 * moment; that moment's crash is ended by the next call.
 *
 * @throws ChangedMeanwhileError or PublishError; then all is back as it was. Another error where even that was refused:
 * then the next call ends it
 */
export async function swap(plan: Swap, moves: Moves): Promise<void> {
  if (await isDone(plan)) return
  try {
    const firstMade = await mkdir(dirname(plan.aside), { recursive: true, mode: 0o700 })
    await keepAside(plan, moves)
    await syncFolders(dirname(plan.aside), firstMade)
    await bringIn(plan, moves)
    await syncFolders(dirname(plan.to))
    await letGo(plan, moves)
    await expectKept(plan)
    await syncFolders(dirname(plan.old))
    await syncFolders(dirname(plan.aside))
  } catch (error) {
    throw told(error, plan, await rollBack(plan, moves))
  }
}

/** Also when what was kept aside has been taken away since: there is nothing left to do. */
async function isDone({ from, arriving, to, old, aside }: Swap): Promise<boolean> {
  const [coming, there, kept] = await Promise.all([from, to, aside].map(lookAt))
  if (coming !== undefined || !isLike(there, arriving) || isSame(there, kept)) return false
  if (to === old) return true
  const left = await Promise.all([old, leavingPath(aside)].map(lookAt))
  return left.every((look) => look === undefined)
}

/** A second name for the file that goes; in its own place, so that it stays where it is for now. */
async function keepAside({ old, to, aside, leaving, mayBeGone }: Swap, moves: Moves): Promise<void> {
  if (await lookAt(aside)) return expectLike(aside, leaving)
  const found = await lookAt(old)
  if (!found) {
    if (mayBeGone) return
    throw new ChangedMeanwhileError(`there is no file at ${old} any more`)
  }
  await expectLike(old, leaving)
  const isLinked = await linkTo(old, aside, moves)
  if (!isLinked && old === to) await moves.rename(old, aside)
  if (isLinked || old === to) await expectLike(aside, leaving)
}

async function bringIn({ from, arriving, to, old, aside }: Swap, moves: Moves): Promise<void> {
  const [coming, there, kept] = await Promise.all([from, to, aside].map(lookAt))
  if (!coming) {
    if (isLike(there, arriving)) return
    throw new PublishError(`there is no file at ${from} any more`)
  }
  if (!isLike(coming, arriving)) throw new PublishError(`the file at ${from} is not the one that was checked`)
  if (!there) return moveToFreeName(from, to, moves)
  // Cut short between its new name and its old one.
  if (isSame(there, coming)) return moves.unlink(from)
  if (to !== old) throw new NameTakenError(to)
  if (!isSame(there, kept)) throw new ChangedMeanwhileError(`another file was put at ${to} meanwhile`)
  await moves.rename(from, to)
}

/**
 * Takes the old name away where the new one is another. Not by unlink alone: what somebody put there at the last moment
 * would be lost, and is found under the name that it is moved to first.
 */
async function letGo({ to, old, aside }: Swap, moves: Moves): Promise<void> {
  if (to === old) return
  const kept = await lookAt(aside)
  const leaving = kept ? leavingPath(aside) : aside
  const left = kept && (await lookAt(leaving))
  const there = await lookAt(old)
  if (!left && there) {
    if (kept && !isSame(there, kept)) throw new ChangedMeanwhileError(`another file was put at ${old} meanwhile`)
    await moves.rename(old, leaving)
  }
  if (!kept || !(left ?? there)) return
  if (!isSame(await lookAt(leaving), kept)) throw new ChangedMeanwhileError(`another file was put at ${old} meanwhile`)
  await moves.unlink(leaving)
}

/** What was written to in the middle of the swap is not what was converted. */
async function expectKept({ aside, leaving }: Swap): Promise<void> {
  if (await lookAt(aside)) await expectLike(aside, leaving)
}

/**
 * Puts all back: the file that goes under its name, the one that comes under the name that it came from. Nothing is removed
 * that has no other name; gives where something is left that could not get its name back, since another file has it now.
 */
async function rollBack(plan: Swap, moves: Moves): Promise<string | undefined> {
  const { from, arriving, to, old, aside } = plan
  if (to !== old) await returnLeaving(plan, moves)
  const [coming, there, kept] = await Promise.all([from, to, aside].map(lookAt))
  const isIn = coming ? isSame(there, coming) : isLike(there, arriving) && !isSame(there, kept)
  if (isIn && !coming) {
    await mkdir(dirname(from), { recursive: true })
    if (!(await linkTo(to, from, moves))) await moves.rename(to, from)
  }
  const isStillIn = isIn && isSame(await lookAt(to), await lookAt(from))
  if (to === old && kept && isStillIn) await moves.rename(aside, old)
  else if (to === old && kept && !(await lookAt(old))) await moveToFreeName(aside, old, moves)
  else if (to !== old && isStillIn) await moves.unlink(to)
  if (isSame(await lookAt(aside), await lookAt(old))) await moves.unlink(aside)
  await rmdir(dirname(aside)).catch(() => {})
  const left = await Promise.all([aside, leavingPath(aside)].map(lookAt))
  return left.some((look) => look !== undefined) ? dirname(aside) : undefined
}

/** What was on its way out gets its name back: the file that was meant, or the one that somebody put there. */
async function returnLeaving({ old, aside }: Swap, moves: Moves): Promise<void> {
  for (const path of [leavingPath(aside), aside]) {
    if (!(await lookAt(path)) || (await lookAt(old))) continue
    await moveToFreeName(path, old, moves)
  }
  const [left, kept] = await Promise.all([leavingPath(aside), aside].map(lookAt))
  if (left && isSame(left, kept)) await moves.unlink(leavingPath(aside))
}

/** Beside what is kept; scans find no hidden names, so no source has this one. */
function leavingPath(aside: string): string {
  return join(dirname(aside), '.leaving')
}

async function expectLike(path: string, expected: PublishedFile): Promise<void> {
  if (!isLike(await lookAt(path), expected)) throw new ChangedMeanwhileError(`the file at ${path} changed meanwhile`)
}

interface Look extends PublishedFile {
  is_file: boolean
  device: bigint
  inode: bigint
}

async function lookAt(path: string): Promise<Look | undefined> {
  try {
    const found = await lstat(path, { bigint: true })
    return {
      is_file: found.isFile(),
      device: found.dev,
      inode: found.ino,
      size_bytes: Number(found.size),
      mtime_ms: Number(found.mtimeMs),
    }
  } catch (error) {
    // Only what is certainly not there counts as missing: a file that may not be looked at is there.
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

/** Times read as numbers and as bigints differ by their rounding. */
function isLike(found: Look | undefined, expected: PublishedFile): boolean {
  const isTime = found !== undefined && Math.abs(found.mtime_ms - expected.mtime_ms) <= 1
  return isTime && found.is_file && found.size_bytes === expected.size_bytes
}

/** A file system without inode numbers gives 0 for every file: there nothing is known to be the same. */
function isSame(one: Look | undefined, other: Look | undefined): boolean {
  if (!one || !other || one.inode === 0n) return false
  return one.inode === other.inode && one.device === other.device
}

function told(error: unknown, { old, to }: Swap, left: string | undefined): unknown {
  const rest = left === undefined ? '' : `; what was there before lies in ${left}`
  if (error instanceof ChangedMeanwhileError) return new ChangedMeanwhileError(`${error.message}${rest}`)
  if (error instanceof PublishError || error instanceof NameTakenError) {
    return new PublishError(`${error.message}${rest}`, { cause: error })
  }
  const code = errnoOf(error) ?? ''
  const why = reasons[code] ?? (code || String(error))
  return new PublishError(`cannot put ${to} in the place of ${old}, nothing was changed: ${why}${rest}`, {
    cause: error,
  })
}

const reasons: Partial<Record<string, string>> = {
  EXDEV: 'it is on another file system than scanner.root_path, and in replace mode both must be on one',
  EACCES: 'permission denied; the master must be allowed to write to its folder',
  EPERM: 'permission denied; the master must be allowed to write to its folder, and the file must not be immutable',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'its path is too long',
  EIO: 'the disk reports an error',
  ESTALE: 'the network file system has lost it',
}
