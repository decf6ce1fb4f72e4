import type { Container } from '../../contract/conversion.ts'
import type { SourceRule, Store } from '../../queue/store.ts'
import type { Clock } from '../../util/clock.ts'
import type { Log } from '../../util/log.ts'
import type { ScanRules } from './place.ts'

/** What is scanned, how often, and where findings go. The extensions are lower case, with the dot. */
export interface ScannerOptions extends ScanRules {
  /** From the end of a whole scan to the next; 0 for one whole scan only. */
  scan_interval_ms: number
  /** How long a file must have been left alone before it is taken. */
  settle_time_ms: number
  /** Whether to look at changed folders at once, where the OS tells of them. */
  watch: boolean
  container: Container
  /** Whether results take their sources' places. */
  replaces: boolean
  /** What a path alone decides of its source; without it nothing does. */
  ruleOf?: ((source_path: string) => SourceRule | null) | undefined
  store: Pick<Store, 'addSources'>
  log: Log
  clock?: Clock | undefined
  /** Called when jobs became pending: new sources and changed ones, never 0. */
  on_added?: ((count: number) => void) | undefined
  /** How soon a root that is missing or empty is looked at again; default 10 s. */
  root_retry_ms?: number | undefined
  /** How long changes that the OS tells of are gathered before the look; default 300 ms. */
  change_delay_ms?: number | undefined
}
