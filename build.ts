import { readdirSync, rmSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

/** What we build for, by the names that Bun gives the targets. */
const targets = ['linux-x64', 'linux-arm64', 'linux-x64-musl', 'darwin-arm64', 'darwin-x64', 'windows-x64'] as const
type Target = (typeof targets)[number]

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    outfile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(`bun run build [--target ${targets.join('|')}] [--outfile FILE]`)
  process.exit(0)
}
const target = values.target === undefined ? undefined : targetOf(values.target)
const isWindows = target?.startsWith('windows') ?? platform() === 'win32'
const name = values.outfile ?? (target === undefined ? 'dist/darkstream' : `dist/darkstream-${target}`)
const outfile = isWindows && !name.endsWith('.exe') ? `${name}.exe` : name

rmSync(outfile, { force: true })
const result = await Bun.build({
  entrypoints: ['src/main.ts', 'src/sums/file-sum-thread.ts'],
  minify: true,
  sourcemap: 'inline',
  // Bytecode without esm builds, and dies at start.
  format: 'esm',
  bytecode: true,
  splitting: true,
  define: {
    buildCommit: JSON.stringify(commit()),
    buildTarget: JSON.stringify(target ?? `${platform()}-${arch()}`),
  },
  compile: {
    outfile,
    ...(target === undefined ? {} : { target: `bun-${target}` }),
    // What lies in the folder where the executable happens to be started is not its configuration.
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
})
for (const log of result.logs) console.error(log)
if (!result.success) process.exit(1)
// The executable holds its source map; what lies beside it is a copy.
const maps = readdirSync(dirname(outfile)).filter(
  (name) => /^chunk-\w+\.js\.map$/.test(name) || name === `${basename(outfile, '.exe')}.map`,
)
for (const name of maps) rmSync(join(dirname(outfile), name))
console.log(`${outfile}: ${(Bun.file(outfile).size / 1e6).toFixed(0)} MB for ${target ?? 'this machine'}`)

function targetOf(name: string): Target {
  const known = targets.find((target) => target === name)
  if (known) return known
  console.error(`unknown target ${name}; there are ${targets.join(', ')}`)
  process.exit(2)
}

/** The short hash of what is built, with a mark when the tree differs from it; `unknown` without git. */
function commit(): string {
  if (Bun.which('git') === null) return 'unknown'
  const git = Bun.spawnSync(['git', 'describe', '--always', '--dirty', '--exclude', '*'], { stderr: 'ignore' })
  return git.success ? git.stdout.toString().trim() : 'unknown'
}
