import { parseArgs as parseStrictly, stripVTControlCharacters } from 'node:util'
import { type ArgsDef, parseArgs, renderUsage } from 'citty'
import { type CommandHead, type CommandName, headOf, heads } from './heads.ts'
import { version } from './version.ts'

/** Wrong usage: told in a sentence, and the program ends with exit code 2. */
export class UsageError extends Error {}

/** What was typed after a command's name. */
export interface CommandArgs {
  /** A flag's or positional argument's text; undefined when it was not given. */
  text: (name: string) => string | undefined
  flag: (name: string) => boolean
  /** All positional arguments in order. */
  positionals: readonly string[]
}

/**
 * A command's arguments from argv.
 *
 * @throws UsageError for an unknown flag, a missing value or argument, or an argument too many
 */
export function readArgs(head: CommandHead, rawArgs: readonly string[]): CommandArgs {
  const { values, positionals } = parsedStrictly(head.args, rawArgs)
  const named = Object.keys(head.args).filter((name) => head.args[name]?.type === 'positional')
  if (positionals.length > named.length && !head.takesMore) {
    throw new UsageError(`unexpected argument ${JSON.stringify(positionals[named.length])}`)
  }
  const empty = Object.entries(values).find(([, value]) => value === '')
  if (empty) throw new UsageError(`--${empty[0]} needs a value`)
  try {
    const given: Record<string, unknown> = parseArgs([...rawArgs], head.args)
    return {
      text: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
      flag: (name) => given[name] === true,
      positionals,
    }
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/** citty reads what it does not know as something; node's own reader says so. */
function parsedStrictly(args: ArgsDef, rawArgs: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, arg]) => arg.type !== 'positional')
      .map(([name, arg]) => [name, { type: arg.type === 'boolean' ? 'boolean' : 'string' } as const]),
  )
  try {
    return parseStrictly({ args: [...rawArgs], options, allowPositionals: true, allowNegative: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'wrong usage', { cause: error })
  }
}

/** The help of one command, with examples. */
export async function commandHelp(name: CommandName): Promise<string> {
  const head = headOf(name)
  const usage = await renderUsage({
    meta: { name: `darkstream ${name}`, description: head.description },
    args: head.args,
  })
  return `${styled(usage)}\n\nEXAMPLES\n\n${head.examples.map((example) => `  ${example}`).join('\n')}\n`
}

/** The help of the program. */
export async function rootHelp(): Promise<string> {
  const subCommands = Object.fromEntries(
    Object.entries(heads).map(([name, head]) => [name, { meta: { name, description: head.description } }]),
  )
  const usage = await renderUsage({
    meta: {
      name: 'darkstream',
      version,
      description: 'Convert a storage server full of video with all the machines at hand',
    },
    subCommands,
  })
  const first = [heads.start.examples[0], heads.master.examples[0], heads.worker.examples[0], heads.status.examples[0]]
  return `${styled(usage)}\n\nEXAMPLES\n\n${first.map((example) => `  ${example}`).join('\n')}\n`
}

/** Colours are for terminals. */
function styled(usage: string): string {
  return (process.stdout.isTTY ? usage : stripVTControlCharacters(usage)).trimEnd()
}
