import { stringify } from 'yaml'
import example from '../../config.example.yaml' with { type: 'text' }
import { isKeyName, type KeyName } from '../config/schema.ts'

/** Bun's types know no more of it than that it is YAML. */
const template: string = example

/** Answers by key, as people write values. */
export type Answers = Partial<Record<KeyName, string>>

/** A default that stands in a file counts as said, and then no master is looked for on the local network. */
const unsaid: KeyName = 'worker.master_url'

/** The example configuration, every key with its comment, and these values in the place of the defaults. */
export function filledTemplate(answers: Answers): string {
  let section = ''
  return template
    .split('\n')
    .map((line) => {
      section = /^(\w+):$/.exec(line)?.[1] ?? section
      const [, name = ''] = /^ {2}(\w+): /.exec(line) ?? []
      const key = `${section}.${name}`
      const value = isKeyName(key) ? answers[key] : undefined
      if (value === undefined) return key === unsaid ? line.replace('  ', '  # ') : line
      return `  ${name}: ${scalar(value)}`
    })
    .join('\n')
}

/** Quoted where YAML would read something else. */
function scalar(value: string): string {
  return stringify(value, { lineWidth: 0 }).trimEnd()
}
