import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { configRows } from '../config/show.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { KeyName } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { printable } from '../util/format.ts'
import { type Answers, filledTemplate } from './config-template.ts'
import { type CommandArgs, UsageError } from './usage.ts'

type Role = 'master' | 'worker'

/** What differs from site to site; all else has a default that fits most. */
const questions: Record<Role, readonly { key: KeyName; text: string }[]> = {
  master: [
    { key: 'scanner.root_path', text: 'Folder with the source videos' },
    { key: 'scanner.output_base', text: 'Folder for the results' },
    { key: 'conversion.codec', text: 'Video codec of the results (h264, hevc, av1, vp9, ffv1, prores)' },
    { key: 'conversion.container', text: 'Container of the results (mp4, mkv, webm, mov)' },
    { key: 'conversion.target_resolution', text: 'Box that the picture must fit into' },
  ],
  worker: [
    { key: 'worker.master_url', text: 'Address of the master' },
    { key: 'storage.mount_path', text: 'Where the shared storage is mounted here' },
  ],
}

/** Writes a commented configuration: asks what differs from site to site, or with `--yes` nothing. */
export async function run(args: CommandArgs): Promise<number> {
  const file = resolve(args.text('file') ?? 'config.yaml')
  if (existsSync(file)) throw isThere(file)
  const text = filledTemplate(args.flag('yes') ? {} : await ask())
  // What it writes it can read.
  loadConfig({ file, text, environment: {}, flags: {} })
  write(file, text)
  process.stdout.write(`${printable(file)} is written: darkstream config check ${printable(file)}\n`)
  return 0
}

/** Asks until each answer is one that the configuration takes; an empty one keeps the default. */
async function ask(): Promise<Answers> {
  const input = createInterface({ input: process.stdin })
  const lines = input[Symbol.asyncIterator]()
  const answers: Answers = {}
  try {
    const asked = (await askRoles()).flatMap((role) => questions[role])
    for (const { key, text } of asked) await askKey(key, text)
    return answers
  } finally {
    input.close()
  }

  async function line(question: string): Promise<string> {
    process.stdout.write(question)
    const { value, done } = await lines.next()
    if (done) throw new UsageError('the answers ended before the questions did: --yes asks none')
    return value.trim()
  }

  async function askRoles(): Promise<Role[]> {
    for (;;) {
      const answer = (await line('For the master, a worker, or both [both]: ')).toLowerCase()
      if (answer === '' || answer === 'both') return ['master', 'worker']
      if (answer === 'master' || answer === 'worker') return [answer]
    }
  }

  async function askKey(key: KeyName, text: string): Promise<void> {
    for (;;) {
      const answer = await line(`${text} [${fallbackOf(key)}]: `)
      if (answer === '') return
      const problem = whyRefused({ ...answers, [key]: answer })
      if (problem === undefined) {
        answers[key] = answer
        return
      }
      process.stdout.write(`${problem}\n`)
    }
  }
}

function fallbackOf(key: KeyName): string {
  const rows = configRows(loadConfig({ environment: {}, flags: {} }))
  return String(rows.find((row) => row.key === key)?.written ?? 'none')
}

/** What is wrong with answers, a line each; undefined when nothing is. */
function whyRefused(answers: Answers): string | undefined {
  try {
    loadConfig({ environment: {}, flags: answers })
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ message }) => `  ${printable(message)}`).join('\n')
  }
}

/** Only its owner may read it: a token may be written into it later. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw isThere(file)
    throw new DarkstreamError('unavailable', `cannot write ${file}: ${code ?? message}`, { cause: error })
  }
}

function isThere(file: string): DarkstreamError {
  return new DarkstreamError('conflict', `${file} is there already: name another file, or remove it`)
}
