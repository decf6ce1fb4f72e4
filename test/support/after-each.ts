import { afterEach } from 'bun:test'

const cleanups: (() => Promise<void>)[] = []

/**
 * Registers what is to be done after every test of every file. A hook of a module that several test files import would
 * hold for the first of them only, so there is one hook, in this module, which `bunfig.toml` preloads.
 */
export function cleanUpAfterEach(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup)
}

afterEach(async () => {
  for (const cleanup of cleanups) await cleanup()
})
