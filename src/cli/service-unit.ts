import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'

export type Role = 'master' | 'worker'

/** The name that `systemctl` knows a role's service by. */
export function unitName(role: Role): string {
  return `darkstream-${role}.service`
}

/** What a service is to be. */
export interface ServiceRequest {
  role: Role
  /** Absolute paths. */
  executable: string
  config_path: string
  /** The account that it runs as. */
  user: string
  /** Further groups of the account: those that may use GPUs, where the system has them. */
  groups: readonly string[]
  config: Config
}

/** Relative paths of the configuration start here, such as the queue's default. */
export const stateFolder = '/var/lib/darkstream'
const cacheFolder = '/var/cache/darkstream'

/** What the service may do besides reading files and talking to the network; all else is shut. */
const hardening = [
  ['CapabilityBoundingSet=', 'AmbientCapabilities=', 'NoNewPrivileges=yes', 'RestrictSUIDSGID=yes'],
  ['ProtectSystem=strict', 'ProtectHome=read-only', 'PrivateTmp=yes', 'ProtectProc=invisible'],
  ['ProtectKernelTunables=yes', 'ProtectKernelModules=yes', 'ProtectKernelLogs=yes', 'ProtectControlGroups=yes'],
  ['ProtectClock=yes', 'ProtectHostname=yes', 'LockPersonality=yes', 'RestrictRealtime=yes', 'RestrictNamespaces=yes'],
  ['RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK', 'SystemCallArchitectures=native'],
  ['SystemCallFilter=@system-service', 'SystemCallErrorNumber=EPERM'],
].flat()

/**
 * A systemd unit: its own user, nothing to write to but what the configuration names, a restart after a failure, and a
 * watchdog that the program feeds. A path with `-` in front need not be there.
 */
export function systemdUnit(request: ServiceRequest): string {
  const { role, executable, config_path, user, groups, config } = request
  const { read, write } = foldersOf(role, config)
  return [
    ['[Unit]', `Description=darkstream ${role}: converts video`],
    ['Wants=network-online.target', 'After=network-online.target remote-fs.target', ''],
    // The program speaks through systemd-notify, a child of its own.
    ['[Service]', 'Type=notify', 'NotifyAccess=all'],
    [`ExecStart=${[executable, role, '--config', config_path].map(commandWord).join(' ')}`],
    [`User=${user}`, `WorkingDirectory=${stateFolder}`, 'StateDirectory=darkstream', 'CacheDirectory=darkstream'],
    config.storage.cache_path === null ? [`Environment=DARKSTREAM_STORAGE_CACHE_PATH=${cacheFolder}`] : [],
    ['Restart=on-failure', 'RestartSec=5', 'WatchdogSec=60'],
    // The first signal lets running encodes end; what is not done after this goes back to the queue.
    ['TimeoutStopSec=10min'],
    hardening,
    // A worker sees the GPUs.
    role === 'master' ? ['PrivateDevices=yes'] : [],
    groups.length === 0 ? [] : [`SupplementaryGroups=${groups.join(' ')}`],
    read.map((path) => `ReadOnlyPaths=${quoted(`-${path}`)}`),
    write.map((path) => `ReadWritePaths=${quoted(`-${path}`)}`),
    ['', '[Install]', 'WantedBy=multi-user.target', ''],
  ]
    .flat()
    .join('\n')
}

/** The folders that a role only reads and those that it writes to, absolute. */
function foldersOf(role: Role, { scanner, database, storage, logging, replace }: Config) {
  const log = logging.output_path === null ? [] : [resolve(inState(logging.output_path), '..')]
  const cache = storage.cache_path === null ? [] : [inState(storage.cache_path)]
  const [root, output] = [inState(scanner.root_path), inState(scanner.output_base)]
  const sources = replace.enabled ? { read: [], write: [root] } : { read: [root], write: [output] }
  const mount = storage.mount_path === null ? [] : [inState(storage.mount_path)]
  const own = role === 'master' ? [resolve(inState(database.path), '..')] : [...cache, ...mount]
  return {
    read: sources.read,
    write: [...new Set([...sources.write, ...own, ...log])].filter((path) => path !== stateFolder),
  }
}

/** Where a path of the configuration leads from the service's working folder. */
function inState(path: string): string {
  return resolve(stateFolder, path)
}

/** As a unit's list of paths takes one: specifiers begin with a per cent sign. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`
}

/** A command's word, in which a dollar sign would be a variable. */
function commandWord(text: string): string {
  return quoted(text).replaceAll('$', '$$$$')
}

/** A launch daemon of macOS: started at boot, and again after a failure. */
export function launchdPlist({ role, executable, config_path, user }: ServiceRequest): string {
  const words = [executable, role, '--config', config_path].map((word) => `    <string>${xml(word)}</string>`)
  return [
    ['<?xml version="1.0" encoding="UTF-8"?>'],
    ['<plist version="1.0">', '<dict>', '  <key>Label</key>', `  <string>darkstream.${role}</string>`],
    ['  <key>ProgramArguments</key>', '  <array>', ...words, '  </array>'],
    ['  <key>UserName</key>', `  <string>${xml(user)}</string>`, '  <key>RunAtLoad</key>', '  <true/>'],
    ['  <key>KeepAlive</key>', '  <dict>', '    <key>SuccessfulExit</key>', '    <false/>', '  </dict>'],
    ['</dict>', '</plist>', ''],
  ]
    .flat()
    .join('\n')
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
