import { mkdirSync, rmSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { samples } from './demo/samples.ts'
import { results } from './demo/results.ts'
import { run } from './demo/run.ts'

/**
 * `npm run demo`: builds, makes a folder of sample videos, converts it as a user would, and looks at the results.
 * The exit code is 0 when every sample was converted and ffprobe agrees.
 */
const root = dirname(import.meta.dir)
const folder = join(root, 'dist', 'demo')

step('building dist/darkstream')
await must([process.execPath, 'build.ts'], root)

step(`making ${samples.length} sample videos in dist/demo/source`)
// A file that was written only just now may be one that is still being written, and would be waited for.
const hourAgo = Date.now() / 1000 - 3600
rmSync(folder, { recursive: true, force: true })
for (const { name, recipe } of samples) {
  const path = join(folder, 'source', name)
  mkdirSync(dirname(path), { recursive: true })
  await must(['ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'error', ...recipe, `file:${path}`], root)
  utimesSync(path, hourAgo, hourAgo)
}

// In the demo's own folder, so that a config.yaml in the repository does not count.
step('cd dist/demo && ../darkstream start source converted --once')
const code = await run([join('..', 'darkstream'), 'start', 'source', 'converted', '--once'], folder)

step('what ffprobe says of dist/demo/converted')
const { table, isComplete } = await results(join(folder, 'source'), join(folder, 'converted'))
console.log(table)
console.log(isComplete ? `\nThe results are in ${join(folder, 'converted')}` : '\nNot every sample was converted.')
process.exit(code === 0 && !isComplete ? 1 : code)

function step(title: string): void {
  console.log(`\n== ${title}`)
}

async function must(argv: readonly string[], cwd: string): Promise<void> {
  const code = await run(argv, cwd)
  if (code === 0) return
  console.error(`${argv.join(' ')} failed with exit code ${code}`)
  process.exit(code)
}
