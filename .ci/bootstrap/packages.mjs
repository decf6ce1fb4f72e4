import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Failure, isExecutable, isOnPath, must, root, run, say } from './process.mjs'

const modules = join(root, 'node_modules')
/** Says for which package.json, bun.lock and platform node_modules was made. */
const stampFile = join(modules, '.darkstream-installed')
const advice = 'Is the package registry within reach? Remove node_modules and try again.'

/** Makes node_modules what bun.lock says, and gives the path of its Bun. */
export async function bringPackages() {
  const wanted = stamp()
  if (readIfThere(stampFile) === wanted && isExecutable(bunOf(modules))) return bunOf(modules)

  const version = pinnedBun()
  mkdirSync(modules, { recursive: true })
  await withBun(version, (bun) => install(bun))
  await settleBun(modules, version)
  writeFileSync(stampFile, wanted)
  return bunOf(modules)
}

/** Scripts stay off because npm 12 and Bun each block them by rules of their own; Bun's only one is run by `settleBun`. */
async function install(bun) {
  say('installing the packages of bun.lock')
  await must(bun, ['install', '--frozen-lockfile', '--ignore-scripts', '--silent'], { advice })
}

/** Gives `use` a Bun of the pinned version: the one that runs us, the one of an earlier install, or a fresh one from npm. */
async function withBun(version, use) {
  if (process.versions.bun === version) return await use(process.execPath)
  if (await isBun(bunOf(modules), version)) return await use(bunOf(modules))

  say(`fetching Bun ${version} from npm`)
  const folder = mkdtempSync(join(modules, '.bun-'))
  try {
    await npm(['install', '--prefix', folder, `bun@${version}`])
    const fetched = join(folder, 'node_modules')
    await settleBun(fetched, version)
    return await use(bunOf(fetched))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function npm(args) {
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']
  const [program, ...first] = npmCommand()
  await must(program, [...first, ...args, ...quiet, '--include=optional'], {
    advice,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** The npm that started us, if one did: on Windows that is the only one to be had without a shell. */
function npmCommand() {
  const script = process.env.npm_execpath ?? ''
  if (basename(script) === 'npm-cli.js') return [process.execPath, script]
  if (isOnPath('npm')) return ['npm']
  throw new Failure('npm is missing, and Bun comes from npm. Install npm, or Bun, and try again.')
}

/** Does the work of Bun's install script: puts the platform's executable in the place of a stub. */
async function settleBun(folder, version) {
  if (await isBun(bunOf(folder), version)) return
  await must(process.execPath, [join(folder, 'bun', 'install.js')], { advice })
  if (!(await isBun(bunOf(folder), version))) throw new Failure(`Bun ${version} does not start on this machine.`)
}

async function isBun(path, version) {
  if (!isExecutable(path)) return false
  const script = `process.exit(process.versions.bun === '${version}' ? 0 : 1)`
  // What npm puts there without scripts is text, which not every system can start.
  return (await run(path, ['-e', script], { stdio: 'ignore' }).catch(() => 127)) === 0
}

function bunOf(folder) {
  return join(folder, 'bun', 'bin', 'bun.exe')
}

function pinnedBun() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.bun
}

function stamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of ['package.json', 'bun.lock']) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
