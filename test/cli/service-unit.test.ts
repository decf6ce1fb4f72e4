import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  launchdPlist,
  readUnit,
  type Role,
  type ServiceRequest,
  systemdUnit,
  unitName,
} from '../../src/cli/service-unit.ts'
import { loadConfig } from '../../src/config/load.ts'
import { temporaryFolder } from '../support/program.ts'

function request(role: Role, flags: Record<string, string> = {}): ServiceRequest {
  const { config } = loadConfig({ environment: {}, flags })
  const paths = { executable: '/usr/bin/true', config_path: '/etc/darkstream/config.yaml' }
  return { role, ...paths, user: 'daemon', groups: [], before_start: [], config }
}

const lines = (unit: string, name: string) => unit.split('\n').filter((line) => line.startsWith(`${name}=`))

test('a master reads the sources, writes results and queue, and nothing else', () => {
  const folders = {
    'scanner.root_path': '/srv/in',
    'scanner.output_base': '/srv/out',
    'database.path': '/srv/db/jobs.db',
  }
  const unit = systemdUnit(request('master', folders))
  expect(lines(unit, 'ProtectSystem')).toEqual(['ProtectSystem=strict'])
  expect(lines(unit, 'ReadOnlyPaths')).toEqual(['ReadOnlyPaths="-/srv/in"'])
  expect(lines(unit, 'ReadWritePaths')).toEqual(['ReadWritePaths="-/srv/out"', 'ReadWritePaths="-/srv/db"'])
  expect(lines(unit, 'PrivateDevices')).toEqual(['PrivateDevices=yes'])
})

test('in replace mode the sources may be written', () => {
  const unit = systemdUnit(request('master', { 'scanner.root_path': '/srv/in', 'replace.enabled': 'true' }))
  expect(lines(unit, 'ReadOnlyPaths')).toEqual([])
  expect(lines(unit, 'ReadWritePaths')).toEqual(['ReadWritePaths="-/srv/in"'])
})

test('only the program is told to end, and gets the time that its jobs need; what hangs is killed at once', () => {
  const worker = systemdUnit(request('worker'))
  expect(lines(worker, 'KillMode')).toEqual(['KillMode=mixed'])
  expect(lines(worker, 'TimeoutStopSec')).toEqual(['TimeoutStopSec=10min'])
  expect(lines(worker, 'WatchdogSignal')).toEqual(['WatchdogSignal=SIGKILL'])
  // A worker of the master's own machine ends before it.
  expect(lines(worker, 'After')).toEqual(['After=network-online.target remote-fs.target darkstream-master.service'])
  expect(lines(systemdUnit(request('master')), 'After')).toEqual(['After=network-online.target remote-fs.target'])
})

test('a worker sees the devices, keeps its scratch folder, and joins the groups of GPUs', () => {
  const unit = systemdUnit({ ...request('worker'), groups: ['video', 'render'] })
  expect(lines(unit, 'PrivateDevices')).toEqual([])
  expect(lines(unit, 'SupplementaryGroups')).toEqual(['SupplementaryGroups=video render'])
  expect(lines(unit, 'CacheDirectory')).toEqual(['CacheDirectory=darkstream'])
  const folders = { 'storage.cache_path': '/scratch', 'storage.path_map': '/mnt/a => /media/a,/mnt/b => Z:\\b' }
  const own = systemdUnit(request('worker', folders))
  expect(lines(own, 'ReadWritePaths')).toContain('ReadWritePaths="-/scratch"')
  expect(lines(own, 'ReadWritePaths')).toContain('ReadWritePaths="-/media/a"')
  expect(own).not.toContain('Z:')
})

function capabilities(role: Role, port: string): string[] {
  const unit = systemdUnit(request(role, { 'server.port': port }))
  return [...lines(unit, 'CapabilityBoundingSet'), ...lines(unit, 'AmbientCapabilities')]
}

test("it has no capability but, for a port that is root's, the one to listen there", () => {
  const none = ['CapabilityBoundingSet=', 'AmbientCapabilities=']
  expect(capabilities('master', '8080')).toEqual(none)
  expect(capabilities('master', '0')).toEqual(none)
  expect(capabilities('worker', '443')).toEqual(none)
  const listen = ['CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']
  expect(capabilities('master', '443')).toEqual(listen)
})

test('what root runs before is let fail, and is done with all rights', () => {
  const unit = systemdUnit({ ...request('worker'), before_start: [['/usr/bin/nvidia-modprobe', '-u', '-m']] })
  expect(lines(unit, 'ExecStartPre')).toEqual(['ExecStartPre=-+"/usr/bin/nvidia-modprobe" "-u" "-m"'])
})

test('an installed unit tells its account and its configuration, whatever they are called', () => {
  for (const config_path of ['/etc/darkstream/config.yaml', '/etc/a $b %c "d" \\e $$ %% \\\\.yaml']) {
    const unit = systemdUnit({ ...request('master'), config_path, user: 'media' })
    expect(readUnit(unit)).toEqual({ user: 'media', config_path })
  }
  expect(readUnit('[Service]\nExecStart=/bin/true\n')).toEqual({ user: undefined, config_path: undefined })
})

test('no name becomes a specifier, a variable or a second word', () => {
  const named = {
    ...request('master', { 'scanner.root_path': '/srv/50% "$HOME" \\x' }),
    config_path: '/etc/a $b %c.yaml',
  }
  const unit = systemdUnit(named)
  expect(lines(unit, 'ExecStart')).toEqual(['ExecStart="/usr/bin/true" "master" "--config" "/etc/a $$b %%c.yaml"'])
  expect(lines(unit, 'ReadOnlyPaths')).toEqual([String.raw`ReadOnlyPaths="-/srv/50%% \"$HOME\" \\x"`])
})

test.skipIf(Bun.which('systemd-analyze') === null)('systemd understands every line of it', () => {
  const folder = temporaryFolder()
  for (const role of ['master', 'worker'] as const) {
    const unit = systemdUnit(request(role, { 'scanner.root_path': '/srv/50% of "my" films' }))
    writeFileSync(join(folder, unitName(role)), unit)
    const { exitCode, stderr } = Bun.spawnSync(['systemd-analyze', 'verify', join(folder, unitName(role))])
    expect({ exitCode, complaints: stderr.toString() }).toEqual({ exitCode: 0, complaints: '' })
  }
})

test('a launch daemon holds its words as XML', () => {
  const plist = launchdPlist({ ...request('worker'), config_path: '/etc/<a> & b.yaml' })
  expect(plist).toContain('<string>/etc/&lt;a&gt; &amp; b.yaml</string>')
})
