import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { KeyName } from '../config/schema.ts'
import { configRows } from '../config/show.ts'
import { printable } from '../util/format.ts'
import type { Answers } from './config-template.ts'
import { readJoinLine } from './join-line.ts'
import { isThisMachine } from './local-master.ts'
import type { Prompt } from './prompt.ts'
import type { Role } from './service-unit.ts'

/** What was asked for and answered. */
export interface Asked {
  roles: readonly Role[]
  answers: Answers
}

interface Question {
  key: KeyName
  text: string
  /** A folder is made absolute, and that it is not there is told; `results` may be made later. */
  folder?: 'there' | 'results'
}

const masterQuestions: readonly Question[] = [
  { key: 'scanner.root_path', text: 'Folder with the source videos', folder: 'there' },
  { key: 'scanner.output_base', text: 'Folder for the results', folder: 'results' },
  { key: 'conversion.codec', text: 'Video codec of the results (h264, hevc, av1, vp9, ffv1, prores)' },
  { key: 'conversion.container', text: 'Container of the results (mp4, mkv, webm, mov)' },
  { key: 'conversion.target_resolution', text: 'Box that the picture must fit into' },
]
const masterUrl: Question = { key: 'worker.master_url', text: 'The line that the master printed, or its address' }
const token: Question = { key: 'worker.token', text: "The master's token for workers, dsw_..." }
const pin: Question = { key: 'worker.pin', text: 'Pin of its certificate, sha256:..., if it made that itself' }
const mount: Question = {
  key: 'storage.mount_path',
  text: 'Where the shared storage is mounted here; none for HTTP',
  folder: 'there',
}

/** What may give way for an answer that does not go with its default, and to what: prores in no mp4, no aac in webm. */
const companions: Partial<Record<KeyName, { key: KeyName; values: readonly string[] }>> = {
  'conversion.codec': { key: 'conversion.container', values: ['mkv', 'mov', 'webm'] },
  'conversion.container': { key: 'conversion.audio_codec', values: ['opus', 'copy'] },
}

/** Asks what differs from site to site; an empty answer keeps the default, one that the configuration refuses is asked again. */
export async function askQuestions(prompt: Prompt, say: (line: string) => void): Promise<Asked> {
  const answers: Answers = {}
  const roles = await askRoles()
  if (roles.includes('master')) for (const question of masterQuestions) await ask(question)
  if (roles.includes('worker')) {
    await ask(masterUrl)
    const url = answers['worker.master_url'] ?? fallbackOf('worker.master_url')
    // Of a master of this machine a worker finds both by itself.
    if (answers['worker.token'] === undefined && !isThisMachine(url)) await ask(token)
    if (url.startsWith('https:') && answers['worker.pin'] === undefined && !isThisMachine(url)) await ask(pin)
    await ask(mount)
  }
  return { roles, answers }

  function tell({ key, folder }: Question, taken: Answers): void {
    const path = taken[key]
    if (folder === 'there' && path !== undefined && !existsSync(path)) say(`  ${printable(path)} is not there yet`)
    const companion = companions[key]?.key
    const value = companion && taken[companion]
    if (value !== undefined) say(`  with it ${companion}: ${value}`)
  }

  async function askRoles(): Promise<Role[]> {
    for (;;) {
      const answer = (await prompt('For the master, a worker, or both [both]: ')).toLowerCase()
      if (answer === '' || answer === 'both') return ['master', 'worker']
      if (answer === 'master' || answer === 'worker') return [answer]
      say('  write master, worker or both')
    }
  }

  async function ask(question: Question): Promise<void> {
    const fallback = answers[question.key] ?? fallbackOf(question.key)
    for (;;) {
      const line = await prompt(`${question.text} [${fallback}]: `)
      if (line === '' || line === fallback) return
      const given = meant(question, line)
      const taken = typeof given === 'string' ? undefined : accepted(question.key, given, answers)
      if (taken !== undefined) {
        tell(question, taken)
        Object.assign(answers, taken)
        return
      }
      say(typeof given === 'string' ? given : (whyRefused({ ...answers, ...given }) ?? ''))
    }
  }
}

/** The values of an answer that the configuration takes, with a companion's where that must give way; undefined for none. */
function accepted(key: KeyName, given: Answers, answers: Answers): Answers | undefined {
  const companion = companions[key]
  const others = companion?.values.map((value): Answers => ({ ...given, [companion.key]: value })) ?? []
  return [given, ...others].find((values) => whyRefused({ ...answers, ...values }) === undefined)
}

/** The values that an answer stands for, or what is wrong with it. */
function meant({ key, folder }: Question, line: string): Answers | string {
  if (folder !== undefined) return { [key]: resolve(line.replace(/^~(?=\/|$)/, homedir())) }
  if (key !== 'worker.master_url' || !line.includes('darkstream worker')) return { [key]: line }
  return (
    readJoinLine(line) ??
    '  that is not the whole line: it has --master with an address, and a token if TOKEN stood there'
  )
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
