import { resolve } from 'node:path'
import { splitMapping } from '../config/path-mapping.ts'
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
  /** What root runs before each start, such as to make the devices of GPUs; that it fails is no obstacle. */
  before_start: readonly (readonly string[])[]
  config: Config
}

/** Relative paths of the configuration start here, such as the queue's default. */
export const stateFolder = '/var/lib/darkstream'
export const cacheFolder = '/var/cache/darkstream'

/** Minutes that a role may take to end: a worker its running encodes, a master the calls in flight. */
export const stopMinutes: Record<Role, number> = { master: 2, worker: 10 }
/** Minutes that a start may take: the check of a large queue, the trials of several GPUs. */
export const startMinutes = 10

/** What the service may do besides reading files and talking to the network; all else is shut. */
const hardening = [
  ['NoNewPrivileges=yes', 'RestrictSUIDSGID=yes'],
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
  const { role, executable, config_path, user, groups } = request
  const { read, write } = foldersOf(role, request.config)
  return [
    ['# Written by darkstream service install, to be run again when folders in the configuration have changed.'],
    [`# What it should have besides: systemctl edit ${unitName(role)}`, ''],
    ['[Unit]', `Description=darkstream ${role}: converts video`],
    // What starts before ends after: at a shutdown a worker of the same machine can still hand in its results.
    ['Wants=network-online.target', `After=network-online.target remote-fs.target ${afterOf(role)}`.trimEnd(), ''],
    // The program speaks through systemd-notify, a child of its own.
    ['[Service]', 'Type=notify', 'NotifyAccess=all'],
    request.before_start.map((argv) => `ExecStartPre=-+${argv.map(commandWord).join(' ')}`),
    [`ExecStart=${[executable, role, '--config', config_path].map(commandWord).join(' ')}`],
    [`User=${user}`, `WorkingDirectory=${stateFolder}`, `SyslogIdentifier=darkstream-${role}`],
    ['StateDirectory=darkstream', 'StateDirectoryMode=0700', 'CacheDirectory=darkstream', 'CacheDirectoryMode=0700'],
    // What is wrong in the configuration is so at the next start, too.
    ['Restart=on-failure', 'RestartSec=5', 'RestartPreventExitStatus=2', `TimeoutStartSec=${startMinutes}min`],
    // Who does not feed the watchdog does not heed another signal, and ffmpeg that outgrows the memory is one job's failure.
    ['WatchdogSec=60', 'WatchdogSignal=SIGKILL', 'OOMPolicy=continue'],
    // Only the program is told to end: an ffmpeg that is, too, would leave half a film.
    ['KillMode=mixed', `TimeoutStopSec=${stopMinutes[role]}min`],
    capabilitiesOf(request),
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

/** None but, for a port that is root's, the right to listen there. */
function capabilitiesOf({ role, config: { server } }: ServiceRequest): string[] {
  const right = role === 'master' && server.port > 0 && server.port < 1024 ? 'CAP_NET_BIND_SERVICE' : ''
  return [`CapabilityBoundingSet=${right}`, `AmbientCapabilities=${right}`]
}

function afterOf(role: Role): string {
  return role === 'worker' ? unitName('master') : ''
}

/** What an installed unit says of the account and the configuration; undefined for what it does not say. */
export function readUnit(text: string): { user: string | undefined; config_path: string | undefined } {
  const config = /^ExecStart=.*"--config" "((?:[^"\\]|\\.)*)"$/m.exec(text)?.[1]
  return {
    user: /^User=(.+)$/m.exec(text)?.[1],
    config_path: config?.replaceAll(/\\(.)|([%$])\2/g, '$1$2'),
  }
}

/** The folders that a role only reads and those that it writes to, absolute. */
export function foldersOf(role: Role, { scanner, database, storage, logging, replace }: Config) {
  const log = logging.output_path === null ? [] : [resolve(inState(logging.output_path), '..')]
  const cache = storage.cache_path === null ? [] : [inState(storage.cache_path)]
  const [root, output] = [inState(scanner.root_path), inState(scanner.output_base)]
  const sources = replace.enabled ? { read: [], write: [root] } : { read: [root], write: [output] }
  const mount = storage.mount_path === null ? [] : [inState(storage.mount_path)]
  const mapped = (storage.path_map ?? [])
    .flatMap((text) => splitMapping(text)?.to ?? [])
    .filter((path) => path.startsWith('/'))
  const own = role === 'master' ? [resolve(inState(database.path), '..')] : [...cache, ...mount, ...mapped]
  return {
    read: sources.read,
    write: [...new Set([...sources.write, ...own, ...log])].filter((path) => path !== stateFolder),
  }
}

/** Where a path of the configuration leads from the service's working folder. */
export function inState(path: string): string {
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
