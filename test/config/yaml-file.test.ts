import { describe, expect, test } from 'bun:test'
import { readYaml } from '../../src/config/yaml-file.ts'

const problemsOf = (text: string) =>
  readYaml('c.yaml', text).problems.map(({ line, key, message }) => [line, key, message])

test('a value carries its file and line, and its text as written', () => {
  const { settings, problems } = readYaml('c.yaml', 'worker:\n  id: 007\n\n  # comment\n  concurrency: "3"\n')
  expect(problems).toEqual([])
  expect(settings).toEqual([
    { key: 'worker.id', origin: { file: 'c.yaml', line: 2 }, written: '007' },
    { key: 'worker.concurrency', origin: { file: 'c.yaml', line: 5 }, written: '3' },
  ])
})

test('a list carries the line of each item', () => {
  const { settings } = readYaml('c.yaml', 'scanner:\n  video_extensions:\n    - .mp4\n    - .3gp\n')
  expect(settings).toEqual([
    {
      key: 'scanner.video_extensions',
      origin: { file: 'c.yaml', line: 2 },
      written: [
        { text: '.mp4', line: 3 },
        { text: '.3gp', line: 4 },
      ],
    },
  ])
})

describe('keys that begin alike may be written as a map', () => {
  test('each is set as if it were written for itself', () => {
    const { settings, problems } = readYaml('c.yaml', 'server:\n  tls:\n    cert: /a.pem\n    key: /b.pem\n  port: 1\n')
    expect(problems).toEqual([])
    expect(settings).toEqual([
      { key: 'server.tls_cert', origin: { file: 'c.yaml', line: 3 }, written: '/a.pem' },
      { key: 'server.tls_key', origin: { file: 'c.yaml', line: 4 }, written: '/b.pem' },
      { key: 'server.port', origin: { file: 'c.yaml', line: 5 }, written: '1' },
    ])
    expect(readYaml('c.yaml', 'server: {tls: {cert: a, key: b}}').settings).toHaveLength(2)
    expect(readYaml('c.yaml', 'server: {tls: {cert: null}}\n')).toMatchObject({ settings: [], problems: [] })
    expect(readYaml('c.yaml', 'server:\n  tls:\n')).toMatchObject({ settings: [], problems: [] })
  })

  test.each([
    ['server:\n  tls:\n    cert: a\n    kee: b', 4, 'server.tls.kee', 'unknown key; tls has cert, key'],
    ['server:\n  tls_cert: a\n  tls: {cert: b}', 3, 'server.tls_cert', 'set twice, also as tls_cert'],
    ['server:\n  tls: {cert: a, cert: b}', 2, 'server.tls.cert', 'set twice, first on line 2'],
    ['server:\n  tls: {cert: {file: a}}', 2, 'server.tls_cert', 'expected a value, found a section'],
    ['server:\n  tls: true', 2, 'server.tls', 'expected a section with cert, key, found "true"'],
    ['server:\n  tls: [a, b]', 2, 'server.tls', 'expected a section with cert, key, found a list'],
    ['logging:\n  tls: {cert: a}', 2, 'logging.tls', 'unknown key; logging has level, format, output_path'],
  ] as const)('%p', (text, line, key, message) => {
    expect(problemsOf(text)).toEqual([[line, key, message]])
  })
})

test.each([
  '',
  '\n\n',
  '# nothing\n',
  '---\n',
  'null',
  '~',
  '\uFEFF',
  'server:\n',
  'server: {}\n',
  'server: ~',
  'server:\n  port:\n',
  'server:\n  port: null\n',
])('%p sets nothing and is no problem', (text) => {
  expect(readYaml('c.yaml', text)).toEqual({ settings: [], problems: [], profiles: [] })
})

test('Windows line ends count as one line', () => {
  expect(readYaml('c.yaml', '\uFEFFserver:\r\n  port: 1\r\n').settings[0]).toMatchObject({
    origin: { line: 2 },
    written: '1',
  })
})

describe('a wrong shape is reported where it is', () => {
  test.each([
    ['hello', 1, null, 'expected sections such as server:, found "hello"'],
    ['\n- server', 2, null, 'expected sections such as server:, found a list'],
    ['server: 8080', 1, 'server', 'expected a section with keys such as port, found "8080"'],
    ['server:\n  - port: 1', 1, 'server', 'expected a section with keys such as port, found a list'],
    ['server:\n  port:\n    number: 1', 3, 'server.port', 'expected a value, found a section'],
    [
      'scanner:\n  video_extensions:\n    - .mp4\n    - [.mkv]',
      4,
      'scanner.video_extensions',
      'expected a list of single values, found a list',
    ],
    ['? [a]\n: b', 1, null, 'expected a name, found a list'],
    ['server:\n  ? {a: b}\n  : 1', 2, null, 'expected a name, found a section'],
  ] as const)('%p', (text, line, key, message) => {
    expect(problemsOf(text)).toEqual([[line, key, message]])
  })
})

describe('a name that is not known is reported with what was meant', () => {
  test.each([
    ['scaner:\n  a: 1', 1, 'scaner', 'unknown section; did you mean scanner?'],
    ['Server:\n  port: 1', 1, 'Server', 'unknown section; did you mean server?'],
    ['port: 8080', 1, 'port', 'unknown section; the key port belongs to server'],
    ['server:\n  prot: 1', 2, 'server.prot', 'unknown key; did you mean port?'],
    ['scanner:\n  rootPath: /a', 2, 'scanner.rootPath', 'unknown key; did you mean root_path?'],
    ['server:\n  bitrate: 5M', 2, 'server.bitrate', 'unknown key; it belongs to conversion'],
    ['logging:\n  colour: red', 2, 'logging.colour', 'unknown key; logging has level, format, output_path'],
    ['logging:\n  __proto__: 1', 2, 'logging.__proto__', 'unknown key; logging has level, format, output_path'],
    ['database:\n  "": 1', 2, 'database.', 'unknown key; database has path, keep_history'],
  ] as const)('%p', (text, line, key, message) => {
    expect(problemsOf(text)).toEqual([[line, key, message]])
  })

  test('with all sections when nothing is near', () => {
    expect(problemsOf('constructor: 1')[0]?.[2]).toStartWith('unknown section; there are server, scanner, database,')
  })
})

test('a key or section that is set twice is reported with both lines', () => {
  expect(problemsOf('server:\n  port: 1\n  host: a\n  "port": 2\nlogging:\nserver:\n  port: 3\n')).toEqual([
    [6, 'server', 'set twice, first on line 1'],
    [4, 'server.port', 'set twice, first on line 2'],
  ])
})

describe('broken syntax is reported with its line, and nothing is read', () => {
  test.each([
    ['server:\n\tport: 1', 2, 'not valid YAML: Tabs are not allowed as indentation'],
    ['server:\n  host: "abc', 2, 'not valid YAML: Missing closing "quote'],
    [
      'server: {port: 1',
      1,
      'not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    ['server:\n  port: 1\n host: a', 3, 'not valid YAML: All mapping items must start at the same column'],
    ['server:\n  host: a: b', 2, 'not valid YAML: Nested mappings are not allowed in compact mappings'],
    ['server:\n---\nlogging:', 2, 'not valid YAML: expected one document, found a second one'],
    ['server:\n  port: !vault 1', 2, 'not valid YAML: Unresolved tag: !vault'],
    ['%YAML 9.9\n---\nserver:', 1, 'not valid YAML: Unsupported YAML version 9.9'],
  ])('%p', (text, line, message) => {
    const { settings, problems } = readYaml('c.yaml', text)
    expect(settings).toEqual([])
    expect(problems).toContainEqual({ source: 'c.yaml', line, key: null, message })
  })
})

test('a syntax error does not repeat what the file holds', () => {
  expect(JSON.stringify(readYaml('c.yaml', 'a: b\n"hunter2"\nhunter2 hunter2\n}hunter2').problems)).not.toContain(
    'hunter2',
  )
})

describe('a hostile file ends quickly', () => {
  test('aliases are refused, not followed', () => {
    const bomb = ['a: &a [x]', ...'bcdefghij'.split('').map((name, at) => `${name}: &${name} [${'*abcdefghij'[at]}]`)]
    expect(problemsOf(bomb.join('\n')).length).toBeGreaterThan(0)
    expect(problemsOf('server: &s\n  port: 1\nlogging: *s')).toEqual([
      [3, 'logging', 'expected a section with keys such as level, found the alias "*s", which is not supported here'],
    ])
    expect(problemsOf('server:\n  host: &h a\nworker:\n  id: *h')).toEqual([
      [4, 'worker.id', 'expected a value, found the alias "*h", which is not supported here'],
    ])
  })

  test('deep nesting', () => {
    expect(problemsOf('['.repeat(20_000)).length).toBeGreaterThan(0)
    expect(problemsOf(`server: ${'{a: '.repeat(5000)}`).length).toBeGreaterThan(0)
  })

  test('a list beyond measure', () => {
    const items = '.mp4,'.repeat(1001)
    expect(problemsOf(`scanner: {video_extensions: [${items}]}`)).toEqual([
      [1, 'scanner.video_extensions', 'expected at most 1000 items, found 1001'],
    ])
  })

  test('thousands of unknown and repeated keys', () => {
    const text = Array.from({ length: 2000 }, (_, at) => `k${at}:\nserver:\n`).join('')
    expect(problemsOf(text)).toHaveLength(3999)
  })
})
