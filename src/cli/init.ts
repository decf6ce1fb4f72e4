import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { DarkstreamError } from '../contract/error.ts'
import { printable } from '../util/format.ts'
import { filledTemplate } from './config-template.ts'
import { type Asked, askQuestions } from './init-questions.ts'
import { withPrompt } from './prompt.ts'
import { stateFolder } from './service-unit.ts'
import { pasteable } from './shell-quoted.ts'
import type { CommandArgs } from './usage.ts'

/** Writes a commented configuration: asks what differs from site to site, or with `--yes` nothing. */
export async function run(args: CommandArgs): Promise<number> {
  const file = resolve(args.text('file') ?? 'config.yaml')
  if (existsSync(file)) throw isThere(file)
  // Before anybody has answered anything.
  mustBeWritable(file)
  const asked = args.flag('yes') ? withoutAsking : await withPrompt((prompt) => askQuestions(prompt, say))
  // What lies here serves the whole machine, whose commands are not called in the service's folder.
  const queue = file.startsWith('/etc/') ? { 'database.path': `${stateFolder}/jobs.db` } : {}
  const text = filledTemplate({ ...queue, ...asked.answers })
  // What it writes it can read.
  loadConfig({ file, text, environment: {}, flags: {} })
  write(file, text)
  tell(file, asked)
  return 0
}

const withoutAsking: Asked = { roles: ['master', 'worker'], answers: {} }

function tell(file: string, { roles, answers }: Asked): void {
  const way = `--config ${pasteable(file)}`
  say(
    `${printable(file)} is written${Object.keys(answers).length === 0 ? ', all defaults: look through it first' : ''}`,
  )
  for (const role of roles) say(`  darkstream ${role} ${way}`)
  if (process.platform !== 'linux' && process.platform !== 'darwin') return
  say('or as a service, at every boot:')
  for (const role of roles) say(`  sudo darkstream service install ${role} ${way}`)
}

function mustBeWritable(file: string): void {
  try {
    accessSync(nearestFolder(dirname(file)), constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unwritten(file, error)
  }
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(dirname(folder))
}

/** Only its owner may read it: it may hold a token. */
function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(file)) throw isThere(file)
    throw unwritten(file, error)
  }
}

function unwritten(file: string, error: unknown): DarkstreamError {
  const { code, message } = error as NodeJS.ErrnoException
  const nearest = nearestFolder(dirname(file))
  const denied = `${nearest} is not yours: use sudo, or name another file`
  const why = !statSync(nearest).isDirectory()
    ? `${nearest} is no folder`
    : code === 'EACCES'
      ? denied
      : (code ?? message)
  return new DarkstreamError('unavailable', `cannot write ${file}: ${why}`, { cause: error })
}

function isThere(file: string): DarkstreamError {
  const remedy = statSync(file).isDirectory()
    ? `is a folder: name a file, such as ${file.replace(/\/$/, '')}/config.yaml`
    : 'is there already, and stays as it is: name another file, or move it away'
  return new DarkstreamError('conflict', `${file} ${remedy}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
