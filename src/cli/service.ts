import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DarkstreamError } from '../contract/error.ts'
import { runProcess } from '../pipeline/process.ts'
import { launchdPlist, type Role, type ServiceRequest, systemdUnit, unitName } from './service-unit.ts'
import { settingsOf } from './settings.ts'
import { type CommandArgs, UsageError } from './usage.ts'

const commandTimeoutMs = 60_000
const unitFolder = '/etc/systemd/system'
const daemonFolder = '/Library/LaunchDaemons'
/** Where units look for programs; a home may be hidden from a service, and a temporary folder is emptied. */
const unfitFolders = /^\/(home|root|tmp|var\/tmp)\//

/** Makes a role a service: its account, its unit, its start now and at boot. With `--print` only shows the unit. */
export async function run(args: CommandArgs): Promise<number> {
  const [action, role] = [args.text('action'), args.text('role')]
  if (action !== 'install') throw new UsageError(`service takes install, not ${JSON.stringify(action)}`)
  if (role !== 'master' && role !== 'worker') {
    throw new UsageError(`install takes master or worker, not ${JSON.stringify(role)}`)
  }
  const request = requestOf(role, args)
  if (args.flag('print')) process.stdout.write(unitText(request))
  else if (process.platform === 'linux') await installSystemd(request)
  else if (process.platform === 'darwin') await installLaunchd(request)
  else {
    const words = `${request.executable} ${role} --config ${request.config_path}`
    throw new UsageError(`there is no service for this system: let its task scheduler start at boot: ${words}`)
  }
  return 0
}

function requestOf(role: Role, args: CommandArgs): ServiceRequest {
  const { config } = settingsOf(args)
  const given = args.text('config') ?? 'config.yaml'
  if (!existsSync(given)) {
    throw new UsageError('a service needs a configuration file: darkstream init /etc/darkstream/config.yaml writes one')
  }
  const user = args.text('user') ?? 'darkstream'
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user))
    throw new UsageError(`--user ${JSON.stringify(user)} is no account's name`)
  return {
    role,
    executable: process.execPath,
    config_path: resolve(given),
    user,
    groups: role === 'worker' ? groupsOfGpus() : [],
    config,
  }
}

function unitText(request: ServiceRequest): string {
  return process.platform === 'darwin' ? launchdPlist(request) : systemdUnit(request)
}

function groupsOfGpus(): string[] {
  const known = existsSync('/etc/group') ? readFileSync('/etc/group', 'utf8') : ''
  return ['video', 'render'].filter((name) => new RegExp(`^${name}:`, 'm').test(known))
}

async function installSystemd(request: ServiceRequest): Promise<void> {
  const { role, user, config_path } = request
  refuseUnfit(request)
  if (!existsSync('/run/systemd/system')) throw refusal('systemd does not run here; --print shows the unit')
  const isKnown = (await attempt(['id', '--user', user])) !== undefined
  if (!isKnown) {
    await command(['useradd', '--system', '--home-dir', '/var/lib/darkstream', '--shell', '/usr/sbin/nologin', user])
    say(`made the account ${user}`)
  }
  const group = Number(await command(['id', '--group', user]))
  letRead(config_path, group)
  const path = `${unitFolder}/${unitName(role)}`
  writeFileSync(path, systemdUnit(request))
  say(`wrote ${path}`)
  await command(['systemctl', 'daemon-reload'])
  await command(['systemctl', 'enable', unitName(role)])
  await command(['systemctl', 'restart', unitName(role)])
  say(`it runs, now and after each boot as ${user}: journalctl --follow --unit ${unitName(role)}`)
  say(`to take it away: systemctl disable --now ${unitName(role)} && rm ${path}`)
}

async function installLaunchd(request: ServiceRequest): Promise<void> {
  refuseUnfit(request)
  const path = `${daemonFolder}/darkstream.${request.role}.plist`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, launchdPlist(request))
  await command(['launchctl', 'bootstrap', 'system', path])
  say(`${path} is loaded; to take it away: launchctl bootout system ${path}`)
}

function refuseUnfit({ executable }: ServiceRequest): void {
  if (process.getuid?.() !== 0) throw refusal('only root may install a service: use sudo, or --print')
  if (unfitFolders.test(executable)) {
    throw refusal(`a service cannot rely on ${executable}: copy it to /usr/local/bin and call it there`)
  }
}

/** The service's group reads the configuration, others do not: it may hold a token. */
function letRead(path: string, group: number): void {
  const { mode, gid, uid } = statSync(path)
  if (gid === group || (mode & 0o004) !== 0) return
  chownSync(path, uid, group)
  chmodSync(path, 0o640)
  say(`let the service read ${path}`)
}

/** Runs a program of the system; what it wrote. Throws with its own words when it fails. */
async function command(argv: readonly string[]): Promise<string> {
  const result = await runIt(argv)
  if (result.exit_code === 0) return result.stdout.trim()
  throw refusal(`${argv.join(' ')} failed: ${result.stderr_tail.trim() || `exit code ${result.exit_code}`}`)
}

async function attempt(argv: readonly string[]): Promise<string | undefined> {
  const result = await runIt(argv)
  return result.exit_code === 0 ? result.stdout.trim() : undefined
}

function runIt(argv: readonly string[]) {
  const signal = AbortSignal.timeout(commandTimeoutMs)
  return runProcess({ argv, environment: process.env, timeout_ms: commandTimeoutMs, signal })
}

function refusal(message: string): DarkstreamError {
  return new DarkstreamError('unavailable', message)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
