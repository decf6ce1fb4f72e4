import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { DarkstreamError } from '../contract/error.ts'
import { installLaunchd, uninstallLaunchd } from './service-launchd.ts'
import { installedUnit, installSystemd, uninstallSystemd } from './service-systemd.ts'
import { launchdPlist, type Role, type ServiceRequest, systemdUnit } from './service-unit.ts'
import { type CommandArgs, UsageError } from './usage.ts'

/** Where a configuration is looked for that no `--config` names and no earlier installation did. */
const usualFiles = ['config.yaml', '/etc/darkstream/config.yaml']
const usualUser = 'darkstream'
/** Where units look for programs; a home may be hidden from a service, and a temporary folder is emptied. */
const unfitFolders = /^\/(home|root|tmp|var\/tmp)\//

/** Makes a role a service, or takes that back. With `--print` only shows the unit. */
export async function run(args: CommandArgs): Promise<number> {
  const [action, role] = [args.text('action'), args.text('role')]
  if (action !== 'install' && action !== 'uninstall') {
    throw new UsageError(`service takes install or uninstall, not ${JSON.stringify(action)}`)
  }
  if (role !== 'master' && role !== 'worker') {
    throw new UsageError(`${action} takes master or worker, not ${JSON.stringify(role)}`)
  }
  if (action === 'uninstall') await uninstall(role)
  else if (args.flag('print')) process.stdout.write(unitText(requestOf(role, args)))
  else await install(requestOf(role, args))
  return 0
}

async function install(request: ServiceRequest): Promise<void> {
  const { executable, role, config_path } = request
  if (!['linux', 'darwin'].includes(process.platform)) {
    const words = `${executable} ${role} --config ${config_path}`
    throw new UsageError(`there is no service for this system: let its task scheduler start at boot: ${words}`)
  }
  mustBeRoot()
  if (unfitFolders.test(executable)) {
    throw refusal(`a service cannot rely on ${executable}: copy it to /usr/local/bin and call it there`)
  }
  await (process.platform === 'darwin' ? installLaunchd : installSystemd)(request, say)
}

async function uninstall(role: Role): Promise<void> {
  mustBeRoot()
  await (process.platform === 'darwin' ? uninstallLaunchd : uninstallSystemd)(role, say)
}

/** What an earlier installation said holds on, unless it is told anew. */
function requestOf(role: Role, args: CommandArgs): ServiceRequest {
  const earlier = installedUnit(role)
  const file = args.text('config') ?? earlier?.config_path ?? usualFiles.find((path) => existsSync(path))
  if (file === undefined || !existsSync(file)) {
    const remedy = 'darkstream init /etc/darkstream/config.yaml writes one'
    throw new UsageError(
      `${file ?? 'a service'} ${file === undefined ? 'needs a configuration file' : 'is not there'}: ${remedy}`,
    )
  }
  // Neither this shell's environment nor its flags are the service's.
  const { config } = loadConfig({ file, environment: {}, flags: {} })
  return {
    role,
    executable: process.execPath,
    config_path: resolve(file),
    user: userOf(role, args),
    groups: role === 'worker' ? groupsOfGpus() : [],
    before_start: role === 'worker' ? gpuCommands() : [],
    config,
  }
}

/** Both roles of a machine share their folders, so they share the account. */
function userOf(role: Role, args: CommandArgs): string {
  const others = installedUnit(role === 'master' ? 'worker' : 'master')?.user
  const user = args.text('user') ?? installedUnit(role)?.user ?? others ?? usualUser
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user))
    throw new UsageError(`--user ${JSON.stringify(user)} is no account's name`)
  if (others !== undefined && others !== user) {
    const other = role === 'master' ? 'worker' : 'master'
    throw new UsageError(
      `the ${other} of this machine runs as ${others}, and both share their folders: --user ${others}`,
    )
  }
  return user
}

function unitText(request: ServiceRequest): string {
  return process.platform === 'darwin' ? launchdPlist(request) : systemdUnit(request)
}

function groupsOfGpus(): string[] {
  const known = existsSync('/etc/group') ? readFileSync('/etc/group', 'utf8') : ''
  return ['video', 'render'].filter((name) => new RegExp(`^${name}:`, 'm').test(known))
}

/** NVIDIA's devices are made by a program that only root may be at the first use of each, and a service never is. */
function gpuCommands(): string[][] {
  const [modprobe, list] = [Bun.which('nvidia-modprobe'), Bun.which('nvidia-smi')]
  return [modprobe === null ? [] : [modprobe, '-u', '-m'], list === null ? [] : [list, '--list-gpus']].filter(
    (argv) => argv.length > 0,
  )
}

function mustBeRoot(): void {
  if (process.getuid?.() !== 0) throw refusal('only root may change services: use sudo, or install --print')
}

function refusal(message: string): DarkstreamError {
  return new DarkstreamError('unavailable', message)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
