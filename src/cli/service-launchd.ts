import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DarkstreamError } from '../contract/error.ts'
import { launchdPlist, type Role, type ServiceRequest } from './service-unit.ts'
import { systemCommand, trySystemCommand } from './system-command.ts'

const daemonFolder = '/Library/LaunchDaemons'

/** Makes a launch daemon of macOS and loads it; one of before goes first. */
export async function installLaunchd(request: ServiceRequest, say: (line: string) => void): Promise<void> {
  const path = plistPath(request.role)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, launchdPlist(request))
  await trySystemCommand(['launchctl', 'bootout', 'system', path])
  await systemCommand(['launchctl', 'bootstrap', 'system', path])
  say(`${path} is loaded; to take it away: sudo darkstream service uninstall ${request.role}`)
}

/** Ends it and takes its file away. */
export async function uninstallLaunchd(role: Role, say: (line: string) => void): Promise<void> {
  const path = plistPath(role)
  if (!existsSync(path)) throw new DarkstreamError('unavailable', `there is no ${path}: the ${role} is no service here`)
  await trySystemCommand(['launchctl', 'bootout', 'system', path])
  rmSync(path)
  say(`the ${role} is no service any more`)
}

function plistPath(role: Role): string {
  return `${daemonFolder}/darkstream.${role}.plist`
}
