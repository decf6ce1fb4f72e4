import { expect, test } from 'bun:test'
import { needsOf } from '../../src/cli/service-needs.ts'
import type { Role } from '../../src/cli/service-unit.ts'
import { loadConfig } from '../../src/config/load.ts'

/** `scanner.root_path /srv/in: use`, a line a need. */
function needs(role: Role, flags: Record<string, string> = {}): string[] {
  const { config } = loadConfig({ environment: {}, flags })
  const paths = { executable: '/usr/bin/true', config_path: '/etc/darkstream/config.yaml' }
  const request = { role, ...paths, user: 'daemon', groups: [], before_start: [], config }
  return needsOf(request).map(({ what, path, access }) => `${what} ${path}: ${access}`)
}

const usual = ['the program /usr/bin/true: run', 'the configuration /etc/darkstream/config.yaml: use']

test('a master reads sources and certificates, and writes results and what lies beside its queue', () => {
  const files = { 'server.tls_cert': '/etc/c.pem', 'server.tls_key': '/etc/k.pem', 'database.path': '/srv/db/jobs.db' }
  expect(needs('master', { ...files, 'scanner.root_path': '/srv/in', 'scanner.output_base': '/srv/out' })).toEqual([
    ...usual,
    'server.tls_cert /etc/c.pem: use',
    'server.tls_key /etc/k.pem: use',
    'the folder of database.path /srv/db: write',
    'database.path /srv/db/jobs.db: write',
    'scanner.root_path /srv/in: use',
    'scanner.output_base /srv/out: write',
  ])
})

test('what systemd gives it is no need, and in replace mode the sources are to be written', () => {
  const needed = needs('master', { 'scanner.root_path': '/srv/in', 'replace.enabled': 'true' })
  expect(needed).toEqual([...usual, 'scanner.root_path /srv/in: write'])
  expect(needs('master', { 'database.path': '/var/lib/darkstream/q/jobs.db' })).not.toContain('q/jobs.db')
})

test('a worker needs its token, its own folders and the mount; the storage where it is', () => {
  const own = { 'worker.token_file': 'token', 'storage.cache_path': '/scratch', 'storage.mount_path': '/mnt/nas' }
  expect(
    needs('worker', { ...own, 'storage.path_map': '/srv => /mnt/nas/srv', 'logging.output_path': '/var/log/d/x' }),
  ).toEqual([
    ...usual,
    // A relative path starts in the service's folder.
    'worker.token_file /var/lib/darkstream/token: use',
    'storage.cache_path /scratch: write',
    'storage.mount_path /mnt/nas: use',
    'storage /mnt/nas/srv: write',
    'the folder of logging.output_path /var/log/d: write',
    'logging.output_path /var/log/d/x: write',
  ])
})
