import { expect, test } from 'bun:test'
import { dirname, join, relative } from 'node:path'
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

/**
 * The folders of the pipeline, each of which may import those in front of it; what lies beside them is either used by all or
 * puts them together. `verify` looks at results without knowing how they were made.
 */
const pipelineSteps = ['process', 'ffmpeg', 'probe', 'plan/video', 'plan/streams', 'plan/sound', 'plan', 'encode']
const mayImportInPipeline: Record<string, readonly string[]> = {
  ...Object.fromEntries(pipelineSteps.map((step, place) => [step, pipelineSteps.slice(0, place)])),
  verify: pipelineSteps.slice(0, -1),
  prove: pipelineSteps,
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
    return importsOf(path, text)
      .map((target) => target.split('/')[0] ?? '')
      .filter((target) => target !== folder && !allowed.includes(target))
      .map((target) => `${path} imports ${target}/`)
  })
  expect(forbidden).toEqual([])
})

test('the steps of the pipeline import only those before them', () => {
  const forbidden = files.flatMap(({ path, text }) => {
    const folder = inPipeline(path)
    if (folder === '.') return []
    const allowed = mayImportInPipeline[folder]
    if (!allowed) return [`${path}: pipeline/${folder}/ is not in the table`]
    return importsOf(path, text)
      .map(inPipeline)
      .filter((target) => target !== '.' && target !== folder && !allowed.includes(target))
      .map((target) => `${path} imports pipeline/${target}/`)
  })
  expect(forbidden).toEqual([])
})

/** The folder of the pipeline that a file lies in; `.` for those beside them, and for all that is elsewhere. */
function inPipeline(path: string): string {
  return path.startsWith('pipeline/') ? dirname(relative('pipeline', path)) : '.'
}

/** What a file of ours imports of ours, by paths below `src`. */
function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(/from '(\.[^']+)'/g)].map((match) => join(dirname(path), match[1] ?? ''))
}

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
  expect(lines).toBeLessThanOrEqual(300)
})
