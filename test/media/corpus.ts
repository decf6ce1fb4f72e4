import { afterAll } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { writeMaterials } from './materials.ts'
import type { Recipe } from './recipe.ts'
import { containers } from './recipes/containers.ts'
import { damage } from './recipes/damage.ts'
import { pictures } from './recipes/picture.ts'
import { sounds } from './recipes/sound.ts'
import { times } from './recipes/time.ts'
import { tracks } from './recipes/tracks.ts'
import { run } from './run.ts'

/** All of it, one recipe a clip. */
export const recipes: readonly Recipe[] = [...pictures, ...times, ...sounds, ...tracks, ...containers, ...damage]

const byName = new Map(recipes.map((recipe) => [recipe.name, recipe]))

/** The corpus for the tests of one file. */
export interface Corpus {
  /** The path of a clip, which is made when it is first asked for. */
  path(name: string): Promise<string>
}

/**
 * Call it at the top of a test file. The clips lie in a folder that all test files of a run share, and that the last of
 * them removes.
 */
export function useCorpus(): Corpus {
  const shared = join(tmpdir(), `darkstream-corpus-${process.ppid}`)
  const users = join(shared, 'users')
  const ours = join(users, String(process.pid))
  const made = new Map<string, Promise<string>>()
  afterAll(() => {
    rmSync(ours, { force: true })
    if (existsSync(users) && readdirSync(users).length === 0) rmSync(shared, { recursive: true, force: true })
  })
  const path = (name: string): Promise<string> => {
    if (made.size === 0) open()
    const clip = made.get(name) ?? make(shared, name, path)
    made.set(name, clip)
    return clip
  }
  // Not before: where all tests of a file are skipped, nothing would remove it.
  const open = () => {
    mkdirSync(users, { recursive: true })
    writeFileSync(ours, '')
    writeMaterials(shared)
  }
  return { path }
}

async function make(shared: string, name: string, path: Corpus['path']): Promise<string> {
  const recipe = byName.get(name)
  if (recipe === undefined) throw new Error(`no recipe for ${name}`)
  const wanted = join(shared, name)
  if (existsSync(wanted)) return wanted
  const from = recipe.from === undefined ? undefined : await path(recipe.from)
  // Another test file may be making the same: whoever is ready first has it, whole.
  const place = mkdtempSync(join(shared, 'making-'))
  const half = join(place, `clip${extname(name)}`)
  if (recipe.argv.length > 0) await run(['ffmpeg', ...quiet, ...recipe.argv, half], shared)
  else if (from !== undefined) writeFileSync(half, readFileSync(from))
  else writeFileSync(half, '')
  if (recipe.alter) writeFileSync(half, recipe.alter(readFileSync(half)))
  renameSync(half, wanted)
  rmSync(place, { recursive: true })
  return wanted
}

const quiet = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y']
