import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from '../util/format.ts'
import type { Account } from './service-account.ts'
import type { Need } from './service-needs.ts'
import { pasteable } from './shell-quoted.ts'
import { trySystemCommand } from './system-command.ts'

/** What came of the needs, a sentence each. */
export interface Access {
  /** What was made or changed for the account; nothing of that while there are refusals. */
  done: string[]
  /** What a person should know, and without which the service starts. */
  notes: string[]
  /** What the account cannot do, each with a remedy. */
  refusals: string[]
}

/** Tries each need with the account's own rights; when nothing is in the way, makes what may be made and opened. */
export async function giveAccess(needs: readonly Need[], account: Account): Promise<Access> {
  const findings: Finding[] = []
  for (const need of needs) findings.push(await look(need, account))
  const notes = findings.flatMap((finding) => noteOf(finding) ?? [])
  const inTheWay = findings.filter(({ outcome, need }) => outcome === 'denied' && need.if_denied !== 'tell')
  const refusals = [...Map.groupBy(inTheWay, ({ where }) => where).values()].map((same) => refusalOf(same, account))
  const done = refusals.length > 0 ? [] : findings.flatMap((finding) => prepare(finding, account) ?? [])
  return { done, notes, refusals }
}

/** What was found of a need. */
interface Finding {
  need: Need
  /** `make` and `open`: it is to be made, or to be made readable, and we may do that. */
  outcome: 'fine' | 'absent' | 'make' | 'open' | 'denied'
  /** Where an account that is denied comes to a stop: the path itself, or a folder on the way to it. */
  where: string
}

async function look(need: Need, account: Account): Promise<Finding> {
  const { path, access } = need
  for (const folder of foldersOnTheWay(path)) {
    if (!(await may(account, ['-x'], folder))) return { need, outcome: 'denied', where: folder }
  }
  const found = (outcome: Finding['outcome']): Finding => ({ need, outcome, where: path })
  if (!existsSync(path)) {
    if (need.if_missing === 'nothing') return found('fine')
    return found(need.if_missing === 'make' && existsSync(dirname(path)) ? 'make' : 'absent')
  }
  const wanted = { run: '-x', use: '-r', write: '-w' }[access]
  if (await may(account, isFolder(path) ? [wanted, '-x'] : [wanted], path)) return found('fine')
  return found(need.can_open && isForOwnerAlone(path, account) ? 'open' : 'denied')
}

/** The folders that lead to a path, from the root on; also to where links lead. */
function foldersOnTheWay(path: string): string[] {
  const paths = existsSync(path) ? [path, realpathSync(path)] : [path]
  return [...new Set(paths.flatMap(foldersAbove))].filter((folder) => existsSync(folder))
}

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

/** Whether the account's group may be let read it without taking that from another. */
function isForOwnerAlone(path: string, account: Account): boolean {
  const { mode, gid } = statSync(path)
  return gid === account.gid || gid === 0 || (mode & 0o070) === 0
}

function noteOf({ need, outcome }: Finding): string | undefined {
  if (outcome === 'absent') return `${named(need)} is not there: when it is, restart the service`
  if (outcome !== 'denied' || need.if_denied !== 'tell') return undefined
  return `it cannot write to ${named(need)}: results that belong there go over HTTP`
}

/** Of needs that come to a stop at one place. */
function refusalOf(same: readonly Finding[], { user, gid }: Account): string {
  const [{ need, where }] = same as [Finding]
  const place = pasteable(where)
  const names = same.map((finding) => named(finding.need)).join(' and ')
  if (where !== need.path && need.can_open)
    return `it cannot get through ${place} to ${names}: move that to /etc/darkstream`
  if (where !== need.path) return `it cannot get through ${place} to ${names}: setfacl -m u:${user}:x ${place}`
  const { uid } = statSync(where)
  const all = isFolder(where) ? '-R ' : ''
  const facl = (rights: string) => `setfacl ${all}-m u:${user}:${rights}${all && `,d:u:${user}:${rights}`} ${place}`
  if (need.access === 'run') return `it cannot run ${names}: install it as /usr/local/bin/darkstream, mode 0755`
  if (need.can_open) return `it cannot read ${names}: chgrp ${gid} ${place} && chmod 640 ${place}`
  if (need.access === 'use') return `it cannot read ${names}: ${facl('rX')}`
  // What is root's is nobody's; what is a person's stays so.
  return `it cannot write to ${names}: ${uid === 0 ? `chown ${all}${user} ${place}` : facl('rwX')}`
}

function named({ what, path }: Need): string {
  return `${what} ${printable(path)}`
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory()
}

/** Makes or opens what was found to need that; what was done. */
function prepare({ need: { path }, outcome }: Finding, { user, uid, gid }: Account): string | undefined {
  if (outcome === 'make' && !existsSync(path)) {
    mkdirSync(path, { mode: 0o755 })
    chownSync(path, uid, gid)
    return `made ${printable(path)} for ${user}`
  }
  if (outcome !== 'open') return undefined
  const { mode, uid: owner } = statSync(path)
  chownSync(path, owner, gid)
  chmodSync(path, (mode & 0o700) | 0o040)
  return `let ${user} read ${printable(path)}`
}
