import { expect, test } from 'bun:test'
import { join, relative } from 'node:path'
import { Glob } from 'bun'

const source = join(import.meta.dir, '..', 'src')

/** Who may import whom; what is not here is forbidden. `cli` and `main.ts` put the parts together and see everything. */
const mayImport: Record<string, readonly string[]> = {
  contract: [],
  util: [],
  sums: [],
  config: ['contract', 'util'],
  queue: ['contract', 'util'],
  vulkan: ['contract', 'util'],
  pipeline: ['contract', 'util'],
  api: ['contract', 'util'],
  master: ['contract', 'queue', 'sums', 'util'],
  worker: ['contract', 'pipeline', 'sums', 'vulkan', 'util'],
}

/** What only some files may use. */
const soleOwners: readonly [what: RegExp, where: RegExp][] = [
  [/from 'bun:sqlite'/, /^queue\/sqlite\//],
  [/from 'bun:ffi'/, /^vulkan\/(open-)?library\.ts$/],
  [/Bun\.spawn|child_process/, /^pipeline\/process\.ts$/],
  [/process\.(env|argv|exit)\b/, /^(cli|config)\/|^main\.ts$/],
  [/from 'hono/, /^api\//],
]

const files = await Promise.all(
  [...new Glob('**/*.ts').scanSync(source)].map(async (path) => ({
    path,
    text: await Bun.file(join(source, path)).text(),
  })),
)

test('folders import only what the table of the architecture allows', () => {
  const forbidden = files.flatMap(({ path, text }) => {
    const folder = path.split('/')[0] ?? ''
    const allowed = mayImport[folder]
    if (!allowed) return folder === 'cli' || path === 'main.ts' ? [] : [`${path}: ${folder}/ is not in the table`]
    const imports = [...text.matchAll(/from '(\.[^']+)'/g)].map((match) => match[1] ?? '')
    const folders = imports.map((target) => relative(source, join(source, path, '..', target)).split('/')[0] ?? '')
    return folders
      .filter((target) => target !== folder && !allowed.includes(target))
      .map((target) => `${path} imports ${target}/`)
  })
  expect(forbidden).toEqual([])
})

test('what one folder owns is used nowhere else', () => {
  const code = files.map(({ path, text }) => ({ path, text: text.replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '') }))
  const trespasses = soleOwners.flatMap(([what, where]) =>
    code
      .filter(({ path, text }) => what.test(text) && !where.test(path))
      .map(({ path }) => `${path} uses ${what.source}`),
  )
  expect(trespasses).toEqual([])
})

test('the shared utilities stay small', () => {
  const lines = files
    .filter(({ path }) => path.startsWith('util/'))
    .reduce((sum, { text }) => sum + text.split('\n').length, 0)
  expect(lines).toBeLessThanOrEqual(250)
})
