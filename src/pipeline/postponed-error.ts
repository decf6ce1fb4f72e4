import type { SourceFacts } from '../contract/profile.ts'

/** A conversion whose turn turned out to be a later one. No failure: it is to be given back with what is known now. */
export class PostponedError extends Error {
  readonly source_facts: SourceFacts

  constructor(message: string, source_facts: SourceFacts) {
    super(message)
    this.name = 'PostponedError'
    this.source_facts = source_facts
  }
}
