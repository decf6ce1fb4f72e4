import type { Stats } from 'node:fs'
import { chmod, chown, lstat } from 'node:fs/promises'
import { PublishError } from '../publish.ts'

/** Who owns a file, and its mode bits. */
export type Rights = Pick<Stats, 'uid' | 'gid' | 'mode'>

/** Read, write and execute for owner, group and others; set-user-id and its like are not handed on. */
const plainBits = 0o777

/**
 * Gives a staged result the owner, group and mode of the file whose place it takes, as far as this process may. Gives a
 * note, a sentence, where that was not all; null when it was.
 *
 * @throws PublishError when the result would be readable to more people than the original, or to fewer
 */
export async function takeOverRights(staged: string, original: Rights): Promise<string | null> {
  const before = await lstat(staged)
  if (before.uid !== original.uid || before.gid !== original.gid) {
    // Only root may give a file away; its owner may give it to a group of their own.
    await chown(staged, original.uid, original.gid).catch(() => chown(staged, before.uid, original.gid).catch(() => {}))
  }
  const { gid } = await lstat(staged)
  await chmod(staged, gid === original.gid ? original.mode & plainBits : modeForOtherGroup(original.mode)).catch(
    () => {},
  )
  const result = await lstat(staged)
  const problem = rightsProblem(original, result)
  if (problem !== undefined) throw new PublishError(problem)
  const isWhole = describe(original) === describe(result)
  return isWhole ? null : `the result belongs to ${describe(result)}, its source belonged to ${describe(original)}`
}

/** Another group gets what everybody had, and no more. */
function modeForOtherGroup(mode: number): number {
  return (mode & 0o707) | ((mode & 0o007) << 3)
}

/** Why a result with these rights may not take the place of an original with those; undefined when it may. */
export function rightsProblem(original: Rights, result: Rights): string | undefined {
  const everybody = reads(original.mode, 'others') && reads(result.mode, 'others')
  const isSameGroup = original.gid === result.gid
  const isSameOwner = original.uid === result.uid
  const isWidened =
    (reads(result.mode, 'others') && !reads(original.mode, 'others')) ||
    (reads(result.mode, 'group') && !reads(original.mode, isSameGroup ? 'group' : 'others'))
  const isNarrowed =
    (reads(original.mode, 'others') && !reads(result.mode, 'others')) ||
    (reads(original.mode, 'group') && !(isSameGroup && reads(result.mode, 'group')) && !everybody) ||
    (reads(original.mode, 'owner') && !(isSameOwner && reads(result.mode, 'owner')) && !everybody)
  if (!isWidened && !isNarrowed) return undefined
  const whom = isWidened ? 'more people than' : 'fewer people than'
  return `the result (${describe(result)}) would be readable to ${whom} its source (${describe(original)}): run the master as root, or as the owner of the films`
}

function reads(mode: number, who: 'owner' | 'group' | 'others'): boolean {
  return (mode & { owner: 0o400, group: 0o040, others: 0o004 }[who]) !== 0
}

/** `user 1000, group 100, mode 640`. */
function describe({ uid, gid, mode }: Rights): string {
  return `user ${uid}, group ${gid}, mode ${(mode & plainBits).toString(8)}`
}
