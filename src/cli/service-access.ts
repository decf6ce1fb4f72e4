import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from '../util/format.ts'
import type { Need } from './service-needs.ts'
import { stateFolder } from './service-unit.ts'
import { systemCommand, trySystemCommand } from './system-command.ts'

/** The account of a service. */
export interface Account {
  user: string
  uid: number
  gid: number
}

/** What came of the needs, a sentence each. */
export interface Access {
  /** What was made or changed for the account. */
  done: string[]
  /** What a person should know, and without which the service starts. */
  notes: string[]
  /** What the account cannot do, with a remedy. */
  refusals: string[]
}

/** The account of that name; `is_new` when there was none and it was made. */
export async function serviceAccount(user: string): Promise<Account & { is_new: boolean }> {
  const is_new = (await trySystemCommand(['id', '--user', user])) === undefined
  if (is_new) {
    await systemCommand(['useradd', '--system', '--home-dir', stateFolder, '--shell', '/usr/sbin/nologin', user])
  }
  const [uid, gid] = [await systemCommand(['id', '--user', user]), await systemCommand(['id', '--group', user])]
  return { user, uid: Number(uid), gid: Number(gid), is_new }
}

/** Makes what is missing and may be made, and tries the rest as the account, by its own rights. */
export async function giveAccess(needs: readonly Need[], account: Account): Promise<Access> {
  const access: Access = { done: [], notes: [], refusals: [] }
  for (const need of needs) await give(need, account, access)
  return access
}

async function give(need: Need, account: Account, { done, notes, refusals }: Access): Promise<void> {
  const { what, path } = need
  const named = `${what} ${printable(path)}`
  // Of a folder that only its owner sees, root does: what lies in it is there, and the account cannot get to it.
  if (!existsSync(path)) {
    if (need.if_missing === 'nothing') return
    if (need.if_missing !== 'make' || !existsSync(dirname(path))) {
      notes.push(`${named} is not there: is its disk mounted? When it is, restart the service`)
      return
    }
    mkdirSync(path, { mode: 0o755 })
    chownSync(path, account.uid, account.gid)
    done.push(`made ${printable(path)} for ${account.user}`)
  }
  const denied = await whyDenied(need, account)
  if (denied === undefined) return
  if (need.can_open && denied.where === path && openToGroup(path, account)) {
    done.push(`let ${account.user} read ${printable(path)}`)
    return
  }
  if (need.if_denied === 'tell') notes.push(`${denied.why}: what belongs there travels over HTTP`)
  else refusals.push(`${denied.why}: ${denied.remedy}`)
}

/** What is in the way of an account, and where. */
interface Denial {
  where: string
  why: string
  remedy: string
}

async function whyDenied({ what, path, access }: Need, account: Account): Promise<Denial | undefined> {
  const { user } = account
  const named = `${what} ${printable(path)}`
  for (const folder of foldersAbove(path)) {
    if (await may(account, ['-x'], folder)) continue
    const way = printable(folder)
    return { where: folder, why: `it cannot get through ${way} to ${named}`, remedy: `setfacl -m u:${user}:x ${way}` }
  }
  const isFolder = statSync(path).isDirectory()
  const wanted = { run: ['-x'], use: isFolder ? ['-r', '-x'] : ['-r'], write: isFolder ? ['-w', '-x'] : ['-w'] }[access]
  if (await may(account, wanted, path)) return undefined
  const remedies = {
    run: 'install it as /usr/local/bin/darkstream, mode 0755',
    use: `setfacl -R -m u:${user}:rX ${printable(path)}`,
    write: `chown ${user} ${printable(path)}`,
  }
  const verb = { run: 'run', use: 'read', write: 'write to' }[access]
  return { where: path, why: `it cannot ${verb} ${named}`, remedy: remedies[access] }
}

/** The folders on the way to a path, from the root on. */
function foldersAbove(path: string): string[] {
  const folder = dirname(path)
  return folder === path ? [] : [...foldersAbove(folder), folder]
}

/** Whether `test` says yes to each, with the rights of the account and of all its groups. */
async function may({ user, gid }: Account, tests: readonly string[], path: string): Promise<boolean> {
  const as = ['setpriv', `--reuid=${user}`, `--regid=${gid}`, '--init-groups', '--']
  const answers = await Promise.all(tests.map((test) => trySystemCommand([...as, 'test', test, path])))
  return answers.every((answer) => answer !== undefined)
}

/** Lets the account's group read a file that so far only its owner reads; false where another group does. */
function openToGroup(path: string, { gid: group }: Account): boolean {
  const { mode, gid, uid } = statSync(path)
  const isOthers = gid !== group && gid !== 0 && (mode & 0o070) !== 0
  if (isOthers) return false
  chownSync(path, uid, group)
  chmodSync(path, (mode & 0o700) | 0o040)
  return true
}
