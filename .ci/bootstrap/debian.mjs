import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, isOnPath, run } from './process.mjs'

/** A person or a supervisor ended a step: no reason to go on without it. */
export class Stopped extends Failure {}

/** The first release with a Mesa, in its backports, that runs the encoders. */
const oldest = 12
/** Exit codes of SIGHUP, SIGINT and SIGTERM. */
const stops = new Set([129, 130, 143])

const keyring = ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp']
  .map((name) => join('/usr/share/keyrings', name))
  .find((path) => existsSync(path))

/** Why packages of Debian cannot be unpacked on this machine; undefined when they can. */
export function whyNoPackages() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `this is ${process.platform} on ${process.arch}`
  const { ID, VERSION_ID } = readRelease()
  // Testing has no number yet.
  if (ID !== 'debian' || Number(VERSION_ID ?? oldest) < oldest) return `this is not Debian ${oldest} or newer`
  const missing = ['apt-get', 'dpkg-query', 'dpkg-deb', 'tar', 'timeout', 'ldd'].find((name) => !isOnPath(name))
  if (missing !== undefined) return `${missing} is missing`
  return keyring === undefined ? 'debian-archive-keyring is not installed' : undefined
}

/** The machine's release, such as `bookworm`. */
export function codename() {
  return readRelease().VERSION_CODENAME ?? 'sid'
}

/**
 * Downloads packages with all that they depend on, unpacks them into a folder for `use(root)`, and removes what that leaves
 * of them; nothing is installed. Of the `suites` the first is preferred; `present` names packages (`*` stands for anything)
 * that are used from the machine where it has them. Throws a Failure with apt's error.
 */
export async function withPackages(folder, { suites, packages, present = [] }, use) {
  const known = mirrors()
  if (known.length === 0) throw new Failure('apt knows no mirror of Debian')
  const scratch = join(folder, 'scratch')
  await firstThatWorks(known, async (mirror) => {
    rmSync(scratch, { recursive: true, force: true })
    await download(scratch, { mirror, suites, packages, present })
    await unpack(join(scratch, 'archives'), join(scratch, 'root'))
  })
  use(join(scratch, 'root'))
  rmSync(scratch, { recursive: true })
}

/** The result for the first of the choices that `attempt` does not fail for; the last one's error when there is none. */
export async function firstThatWorks([choice, ...others], attempt) {
  try {
    return await attempt(choice)
  } catch (error) {
    if (error instanceof Stopped || others.length === 0) throw error
    return await firstThatWorks(others, attempt)
  }
}

/** Where the machine itself gets Debian from, by apt's own reading of its sources. */
function mirrors() {
  const text = execFileSync('apt-get', ['update', '--print-uris'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const sources = [...text.matchAll(/^'(\S+)\/dists\/(\S+)\/InRelease'/gm)]
  const own = sources.filter(([, , suite]) => suite === codename())
  return [...new Set((own.length > 0 ? own : sources).map(([, mirror]) => mirror))]
}

/** Runs apt with a state of its own, so that neither the machine's lists nor root's locks matter. */
async function download(state, { mirror, suites, packages, present }) {
  for (const name of ['lists/partial', 'archives/partial', 'empty']) mkdirSync(join(state, name), { recursive: true })
  writeFileSync(join(state, 'status'), statusOf(present))
  const source = (name) => `deb [signed-by=${keyring}] ${mirror} ${name} main\n`
  writeFileSync(join(state, 'sources.list'), suites.map(source).join(''))
  writeFileSync(join(state, 'apt.conf'), configuration(state))
  const apt = ['-c', join(state, 'apt.conf'), '-qq']
  await quietly(state, 60, ['apt-get', ...apt, 'update'])
  const install = ['-y', '--download-only', '-t', suites[0], 'install', ...packages]
  await quietly(state, 600, ['apt-get', ...apt, ...install])
}

/** The machine's settings hold (proxies, passwords), but none of its hooks, which would touch the system. */
function configuration(state) {
  return `
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Dir::State "${state}";
Dir::State::lists "${state}/lists";
Dir::State::status "${state}/status";
Dir::Cache "${state}";
Dir::Cache::archives "${state}/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Etc::sourcelist "${state}/sources.list";
Dir::Etc::sourceparts "${state}/empty";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${state}/empty";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false"; // mirrors keep lists of testing that have run out
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
`
}

/** A package database with these packages of the machine; without what they depend on, which is the machine's own affair. */
function statusOf(present) {
  if (present.length === 0) return ''
  const fields = ['Architecture', 'Multi-Arch', 'Version', 'Provides'].map((name) => `${name}: \${${name}}\n`).join('')
  const format = `Package: \${Package}\nStatus: install ok installed\n${fields}\n`
  // Fails when one of the names is unknown, and still tells of the others.
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', format, ...present], { encoding: 'utf8' })
  return stdout.replaceAll(/^\S+: \n/gm, '')
}

async function unpack(archives, root) {
  mkdirSync(root, { recursive: true })
  for (const name of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    await quietly(archives, 60, ['dpkg-deb', '--extract', join(archives, name), root])
  }
}

/** Runs a program for so many seconds at most without showing what it says; its first error is the Failure's message. */
async function quietly(folder, seconds, argv) {
  const path = join(folder, 'log')
  const log = openSync(path, 'w')
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  // A network that swallows everything would keep apt busy for an hour.
  const ended = run('timeout', ['--foreground', `${seconds}`, ...argv], { env, stdio: ['ignore', log, log] })
  const code = await ended.finally(() => closeSync(log))
  if (code === 0) return
  if (code === 124) throw new Failure(`${argv[0]} was not done after ${seconds} seconds`)
  if (stops.has(code)) throw new Stopped(`${argv[0]} was stopped`)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const complaint = lines.find((line) => line.startsWith('E: ')) ?? lines.at(-1)
  throw new Failure(`${argv[0]} failed with exit code ${code}: ${complaint}`)
}

function readRelease() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return Object.fromEntries([...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, name, value]) => [name, value]))
}
