import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** What a killed run left is removed after this time; a run that is still busy needs far less. */
const leftoverAgeMs = 3_600_000
const unfinished = '.making-'

/**
 * The folder of this name in our cache, or where it will be. Its content must not depend on its path,
 * and whatever decides the content is part of the name.
 */
export function cachePath(name) {
  // By the XDG rules a relative path does not count.
  const named = process.env.XDG_CACHE_HOME ?? ''
  return join(isAbsolute(named) ? named : join(homedir(), '.cache'), 'darkstream', name)
}

/** Makes a folder of our cache by `make(folder)`, unless it is there: it appears whole, or not at all. Gives its path. */
export async function cached(name, make) {
  const whole = cachePath(name)
  if (existsSync(whole)) return whole
  mkdirSync(cachePath('.'), { recursive: true })
  removeLeftovers()
  const folder = mkdtempSync(cachePath(unfinished))
  try {
    await make(folder)
    settle(folder, whole)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return whole
}

/** A run beside us may have been faster; then its folder, with the same content, stays. */
function settle(folder, whole) {
  try {
    renameSync(folder, whole)
  } catch (error) {
    if (!existsSync(whole)) throw error
  }
}

function removeLeftovers() {
  for (const name of readdirSync(cachePath('.'))) {
    const path = cachePath(name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (name.startsWith(unfinished) && age > leftoverAgeMs) rmSync(path, { recursive: true, force: true })
  }
}
