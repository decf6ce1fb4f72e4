import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const script = join(import.meta.dir, 'boot-systemd.sh')
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const bootSeconds = 30

/** A systemd that runs as the first process of a machine of its own, with this one's files. */
export interface Systemd {
  /** Runs a program there, as root, to its end; with both its streams together. */
  run: (argv: readonly string[], input?: string) => Promise<{ code: number; output: string }>
  /** Where a path of it is seen from outside. */
  path: (inside: string) => string
  stop: () => Promise<void>
}

/** Boots one; undefined where this machine does not let us, with a warning that says why and what is not tested then. */
export async function bootSystemd(what: string): Promise<Systemd | undefined> {
  const began = await tryToBoot().catch((error: Error) => error.message)
  if (typeof began !== 'string') return began
  console.warn(`NOT TESTED, ${began}: ${what}`)
  return undefined
}

async function tryToBoot(): Promise<Systemd | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it takes root on Linux'
  const systemd = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((file) => existsSync(file))
  if (systemd === undefined) return 'it takes systemd (package systemd)'
  const missing = ['unshare', 'nsenter', 'setpriv', 'pivot_root'].filter(
    (name) => Bun.which(name, { PATH: path }) === null,
  )
  if (missing.length > 0) return `it takes ${missing.join(', ')} (package util-linux)`
  const cgroup = ownCgroup()
  if (cgroup === undefined) return 'it takes a cgroup of version 2 that can be written'
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-systemd-'))
  const namespaces = ['--pid', '--mount', '--cgroup', '--ipc', '--uts', '--net', '--fork', '--kill-child']
  // From within the cgroup, which then is the root of all that it sees.
  const enter = `echo $$ >"${cgroup}/cgroup.procs" && exec unshare ${namespaces.join(' ')} sh "$@"`
  const child = Bun.spawn(['sh', '-c', enter, 'sh', script, folder, systemd], {
    env: { PATH: path },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
    await removeCgroup(cgroup)
    rmSync(folder, { recursive: true, force: true })
  }
  const pid = await bootedPid(child)
  if (pid !== undefined) return { ...access(pid), stop }
  await stop()
  const [why = ''] = (await child.stderr.text()).trim().split('\n').slice(-1)
  return `no systemd came up in namespaces of its own (${why || `${bootSeconds} s`})`
}

/** A cgroup for all of it, where this machine has its tree of version 2. */
function ownCgroup(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1]
  if (mount === undefined) return undefined
  const cgroup = join(mount, `darkstream-test-${process.pid}`)
  try {
    mkdirSync(cgroup)
    return cgroup
  } catch {
    return undefined
  }
}

/** The process id of the systemd, once it has come up. */
async function bootedPid(child: { pid: number; exitCode: number | null }): Promise<number | undefined> {
  const end = performance.now() + bootSeconds * 1000
  while (child.exitCode === null && performance.now() < end) {
    const pid = childOf(child.pid)
    const isUp =
      pid !== undefined && (await access(pid).run(['systemctl', 'is-active', '--quiet', 'basic.target'])).code === 0
    if (isUp) return pid
    await Bun.sleep(100)
  }
  return undefined
}

function childOf(pid: number): number | undefined {
  const file = `/proc/${pid}/task/${pid}/children`
  const children = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return children === '' ? undefined : Number(children.split(' ')[0])
}

function access(pid: number): Omit<Systemd, 'stop'> {
  const enter = ['nsenter', `--target=${pid}`, '--pid', '--mount', '--cgroup', '--ipc', '--uts', '--net']
  return {
    async run(argv, input) {
      const command = [...enter, '--', 'env', '-i', '--chdir=/', `PATH=${path}`, 'SYSTEMD_PAGER=', ...argv]
      const child = Bun.spawn(command, {
        stdin: input === undefined ? 'ignore' : Buffer.from(input),
        stdout: 'pipe',
        stderr: 'pipe',
      })
      const [output, complaint, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
      return { code, output: output + complaint }
    },
    path: (inside) => `/proc/${pid}/root${inside}`,
  }
}

/** From its leaves up; the last processes of it may take a moment to be gone. */
async function removeCgroup(cgroup: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && existsSync(cgroup); attempt++) {
    try {
      removeTree(cgroup)
    } catch {
      await Bun.sleep(50)
    }
  }
}

function removeTree(cgroup: string): void {
  for (const name of readdirSync(cgroup)) {
    if (statSync(join(cgroup, name)).isDirectory()) removeTree(join(cgroup, name))
  }
  rmdirSync(cgroup)
}
