import { delimiter } from 'node:path'
import { Failure, isOnPath, run, say } from './process.mjs'

/** A busy package database is waited for instead of failing at once. */
const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300']

/** `knows` fails where the list of packages must be fetched first; managers without it do that by themselves. */
const managers = [
  {
    knows: ['apt-cache', 'show', 'ffmpeg'],
    refresh: [...apt, 'update', '-qq'],
    install: [...apt, 'install', '-qq', '-y', '--no-install-recommends', 'ffmpeg'],
  },
  { install: ['dnf', 'install', '-y', 'ffmpeg'] },
  { install: ['apk', 'add', '--no-cache', 'ffmpeg'] },
  {
    knows: ['pacman', '-Si', 'ffmpeg'],
    refresh: ['pacman', '-Sy'],
    install: ['pacman', '-S', '--needed', '--noconfirm', 'ffmpeg'],
  },
  { install: ['zypper', '--non-interactive', 'install', 'ffmpeg'] },
  { install: ['brew', 'install', 'ffmpeg'], isForUsers: true },
]

/** Installs ffmpeg and ffprobe by the system's package manager where they are missing. */
export async function bringFfmpeg() {
  const missing = missingPrograms()
  if (missing.length === 0) return
  const lack = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`
  const manager = managers.find(({ install }) => isOnPath(install[0]))
  if (manager === undefined) throw new Failure(`${lack}, and no package manager that we know is here. ${byHand}`)

  const before = elevation(manager)
  if (before === undefined) {
    throw new Failure(
      `${lack}, and only root may install them: run ${manager.install.join(' ')} as root, then try again.`,
    )
  }
  await install(manager, before, lack)
  if (missingPrograms().length > 0) throw new Failure(`${lack} still. ${byHand}`)
}

const byHand = 'Install ffmpeg 5.1 or newer so that ffmpeg and ffprobe are on the PATH, then try again.'

async function install(manager, before, lack) {
  const isRefreshed = await refreshIfUnknown(manager, before, lack)
  say(`${lack}; installing with: ${[...before, ...manager.install].join(' ')}`)
  if ((await system([...before, ...manager.install])) === 0) return
  // A list of packages that is too old names files that are no longer there.
  if (manager.refresh && !isRefreshed) {
    say(`once more, with a fresh list of packages: ${[...before, ...manager.refresh].join(' ')}`)
    const isFetched = (await system([...before, ...manager.refresh])) === 0
    if (isFetched && (await system([...before, ...manager.install])) === 0) return
  }
  throw new Failure(`ffmpeg could not be installed. ${byHand}`)
}

async function refreshIfUnknown({ knows, refresh }, before, lack) {
  if (knows === undefined || (await system(knows, 'ignore')) === 0) return false
  say(`${lack}; fetching the list of packages first: ${[...before, ...refresh].join(' ')}`)
  await system([...before, ...refresh])
  return true
}

/** What to put before the command: nothing for root, sudo for others, undefined where there is no way. */
function elevation({ isForUsers = false }) {
  if (isForUsers || process.getuid?.() === 0) return []
  return isOnPath('sudo') ? ['sudo'] : undefined
}

async function system([program, ...args], stdio = ['inherit', 2, 2]) {
  // Someone who became root with plain su lacks the folders that dpkg needs.
  const path = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)
  return await run(program, args, { stdio, env: { ...process.env, PATH: path, DEBIAN_FRONTEND: 'noninteractive' } })
}

function missingPrograms() {
  return ['ffmpeg', 'ffprobe'].filter((name) => !isOnPath(name))
}
