import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { DarkstreamError } from '../contract/error.ts'
import { printable } from '../util/format.ts'
import { giveAccess } from './service-access.ts'
import { serviceAccount } from './service-account.ts'
import { needsOf } from './service-needs.ts'
import {
  cacheFolder,
  inState,
  readUnit,
  type Role,
  type ServiceRequest,
  startMinutes,
  stateFolder,
  stopMinutes,
  systemdUnit,
  unitName,
} from './service-unit.ts'
import { pasteable } from './shell-quoted.ts'
import { systemCommand, trySystemCommand } from './system-command.ts'

const unitFolder = '/etc/systemd/system'

/** Seconds for which a service must stay up to be called running: what is wrong with most shows at once. */
const settlingSeconds = 3

/** What is installed of a role; undefined when nothing is. */
export function installedUnit(role: Role): ReturnType<typeof readUnit> | undefined {
  const path = unitPath(role)
  return existsSync(path) ? readUnit(readFileSync(path, 'utf8')) : undefined
}

/** Makes the account, its folders and the unit, and starts it, now and at boot; `say` gets a line for each step. */
export async function installSystemd(request: ServiceRequest, say: (line: string) => void): Promise<void> {
  const { role } = request
  mustBeSystemd()
  const account = await serviceAccount(request.user)
  if (account.is_new) say(`made the account ${account.user}`)
  const { done, notes, refusals } = await giveAccess(needsOf(request), account)
  for (const line of [...done, ...notes]) say(line)
  if (refusals.length > 0) {
    const list = refusals.map((line) => `\n  ${line}`).join('')
    const facl = list.includes('setfacl') && Bun.which('setfacl') === null ? ' (setfacl is in the package acl)' : ''
    const other = 'or take an account that can already, with --user'
    throw refusal(`no service yet, the account ${account.user} lacks rights:${list}\n${other}${facl}`)
  }
  const path = unitPath(role)
  writeFileSync(path, systemdUnit(request))
  chmodSync(path, 0o644)
  say(`wrote ${path}`)
  await systemCommand(['systemctl', 'daemon-reload'])
  await systemCommand(['systemctl', 'enable', unitName(role)])
  for (const line of await start(role, say)) say(`  ${line}`)
  say(`it runs, now and after each boot, as ${account.user}: journalctl --follow --unit ${unitName(role)}`)
  if (role === 'master') tellOfQueue(request, say)
  say(`to take it away: sudo darkstream service uninstall ${role}`)
}

/** How commands on this machine find the queue, which they need for tokens. */
function tellOfQueue({ config, config_path }: ServiceRequest, say: (line: string) => void): void {
  const { path } = config.database
  if (!isAbsolute(path)) {
    say(`database.path ${printable(path)} starts in ${stateFolder}: with ${inState(path)} commands find it anywhere`)
  }
  say(`a token for a worker: sudo darkstream token create worker --config ${pasteable(config_path)}`)
}

/** Ends a role's service and takes its unit away; queue, scratch folder, configuration and account stay. */
export async function uninstallSystemd(role: Role, say: (line: string) => void): Promise<void> {
  mustBeSystemd()
  const unit = installedUnit(role)
  if (unit === undefined) throw refusal(`there is no ${unitPath(role)}: the ${role} is no service here`)
  await tellOfWait(role, say)
  await systemCommand(['systemctl', 'disable', '--now', unitName(role)], waitMs(role))
  rmSync(unitPath(role))
  await systemCommand(['systemctl', 'daemon-reload'])
  await trySystemCommand(['systemctl', 'reset-failed', unitName(role)])
  say(`the ${role} is no service any more`)
  const account = unit.user === undefined ? '' : `, and the account ${unit.user}`
  say(`what it kept is still there: ${stateFolder}, ${cacheFolder}, its configuration${account}`)
}

/** What it complains of from its start on. */
async function start(role: Role, say: (line: string) => void): Promise<string[]> {
  await tellOfWait(role, say)
  const unit = unitName(role)
  const began = new Date()
  try {
    await systemCommand(['systemctl', 'restart', unit], waitMs(role))
    await mustStayUp(unit)
  } catch (error) {
    const last = (await wordsSince(began, unit)).slice(-5).map((line) => `\n  ${line}`)
    throw refusal(`${unit} is installed, but does not run; the last that it said:${last.join('')}`, error)
  }
  return [...new Set(await wordsSince(began, unit))].filter((line) => /^(WARN|ERROR) /.test(line))
}

/** What a unit wrote, as the journal has it. */
async function wordsSince(time: Date, unit: string): Promise<string[]> {
  await trySystemCommand(['journalctl', '--sync'])
  const since = `--since=@${Math.floor(time.getTime() / 1000)}`
  // The name that the unit gives its lines: by the unit's own, systemd's words would come, too.
  const name = `--identifier=${unit.replace('.service', '')}`
  const words = await trySystemCommand(['journalctl', name, since, '--no-pager', '--output=cat'])
  return (words ?? '').split('\n')
}

async function mustStayUp(unit: string): Promise<void> {
  for (let second = 0; second < settlingSeconds; second++) {
    await Bun.sleep(1000)
    await systemCommand(['systemctl', 'is-active', '--quiet', unit])
  }
}

/** A worker lets running encodes end: who waits for that wants to know for what. */
async function tellOfWait(role: Role, say: (line: string) => void): Promise<void> {
  const state = await trySystemCommand(['systemctl', 'is-active', unitName(role)])
  if (state === undefined || role === 'master') return
  say(`stopping it: running conversions may end first, for ${stopMinutes[role]} minutes at most`)
}

function waitMs(role: Role): number {
  return (stopMinutes[role] + startMinutes + 1) * 60_000
}

function mustBeSystemd(): void {
  if (!existsSync('/run/systemd/system')) throw refusal('systemd does not run here; install --print shows the unit')
}

function unitPath(role: Role): string {
  return `${unitFolder}/${unitName(role)}`
}

function refusal(message: string, cause?: unknown): DarkstreamError {
  return new DarkstreamError('unavailable', message, { cause })
}
