import { formatCount, printable } from '../util/format.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The file as it was named, the environment variable's name, or the flag such as `--port`. */
  source: string
  /** Line in the file, from 1; null where there is none. */
  line: number | null
  /** `section.key`, or only the section; null when the file as a whole is meant. */
  key: string | null
  /** What was expected and what was found; never holds a password. */
  message: string
}

/** Thrown by loadConfig with everything that is wrong at once. Its message is formatConfigProblems' text. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(formatConfigProblems({ problems }))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Lines of formatConfigProblems; more than this is not a configuration with faults but some other file. */
const maxLines = 100

/** Characters of a key that are shown; all real ones are shorter. */
const maxKeyLength = 80

/** One line per problem: `config.yaml:7: scanner.recursive_depth: expected a whole number ..., found "deep"`. */
export function formatConfigProblems({ problems }: Pick<ConfigError, 'problems'>): string {
  const lines = problems.slice(0, maxLines).map(({ source, line, key, message }) => {
    const place = line === null ? source : `${source}:${line}`
    return printable([place, ...(key === null ? [] : [key.slice(0, maxKeyLength)]), message].join(': '))
  })
  const rest = problems.length - lines.length
  return [...lines, ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])].join('\n')
}

/** A found value as it may appear in a message: quoted, short, without control characters or a URL's password. */
export function quoted(text: string): string {
  const safe = text.replaceAll(/\/\/[^/\s]*@/g, '//***@')
  return printable(JSON.stringify(safe.length > 60 ? `${safe.slice(0, 57)}...` : safe))
}
