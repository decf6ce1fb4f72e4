import type { KeyName, Sections } from './schema.ts'

/** A demand on several keys together. */
export interface Rule {
  /** The keys in question; a rule is not asked while one of them has a problem of its own. */
  keys: readonly KeyName[]
  /** Whether what conflicts may be meant all the same, so that it is told and no more. */
  is_doubt?: true
  /** What was expected and found, naming the other keys; undefined when all is well. */
  conflict(config: Sections, from: Origins): string | undefined
}

/** Where values come from. */
export interface Origins {
  /** Whether it is not the default. */
  isSet: (key: KeyName) => boolean
  isInFile: (key: KeyName) => boolean
}
