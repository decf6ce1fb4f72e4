import { expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'

function verdict(text: string) {
  try {
    const { doubts } = loadConfig({ file: 'c.yaml', text, environment: {}, flags: {} })
    return doubts.map(({ line, key, message }) => ['doubt', line, key, message])
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, key, message }) => ['fault', line, key, message])
  }
}

const folders = 'scanner: {root_path: /v/in, output_base: /v/in/done}\n'

test.each(['/v/in', '/v/in/cache', '/v/in/a/../cache/', '/v/in/done2'])(
  'the cache is not among the sources, as in %s',
  (path) => {
    const remedy = expect.stringContaining('storage.cache_path to lie outside scanner.root_path')
    const text = `${folders}storage:\n  cache_path: ${path}\n`
    expect(verdict(text)).toEqual([['fault', 3, 'storage.cache_path', remedy]])
  },
)

test.each(['/v/cache', '/v/in2', '/v/in/.cache', '/v/in/done/cache', 'null'])(
  'it may be where no scan looks: %s',
  (path) => expect(verdict(`${folders}storage:\n  cache_path: ${path}\n`)).toEqual([]),
)

test('the log is no line in the database', () => {
  const text = 'database:\n  path: /q/jobs.db\nlogging:\n  output_path: /q/x/../jobs.db\n'
  expect(verdict(text)).toEqual([
    ['fault', 4, 'logging.output_path', expect.stringContaining('another file than database.path')],
  ])
})

test.each([
  ['{mnt: /x}', '"mnt" is not absolute'],
  ['{/mnt: x}', '"x" is not absolute'],
  ['/mnt', 'write two, with => or a colon'],
  ['[/a => /b, /a/ => /c]', 'found /a as /b and as /c'],
  ['[/a => /b, /a => /b/, "/a: /d"]', 'found /a as /b and as /d'],
])('path_map: %s is refused', (value, words) => {
  expect(verdict(`storage:\n  path_map: ${value}\n`)).toEqual([
    ['fault', 2, 'storage.path_map', expect.stringContaining(words)],
  ])
})

test('a folder that is named twice alike is one', () => {
  expect(verdict('storage:\n  path_map: [/a => /b, /a/ => /b/, /a/c => /d]\n')).toEqual([])
})

test.each(['path_map: {/a: /b}', 'mount_path: /mnt'])('%s is idle where all goes by HTTP', (text) => {
  const idle = [['doubt', 2, 'storage.mode', expect.stringContaining(`storage.${text.split(':')[0]} is for mounts`)]]
  expect(verdict(`storage:\n  mode: http\n  ${text}\n`)).toEqual(idle)
  expect(verdict(`storage:\n  mode: auto\n  ${text}\n`)).toEqual([])
})
