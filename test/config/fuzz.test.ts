import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { environmentName } from '../../src/config/environment.ts'
import { type ConfigSources, loadConfig, type LoadedConfig } from '../../src/config/load.ts'
import { ConfigError, type ConfigProblem } from '../../src/config/problems.ts'
import { rules } from '../../src/config/rules.ts'
import { type KeyName, keys } from '../../src/config/schema.ts'
import { configRows, formatConfig } from '../../src/config/show.ts'

/** Configurations; thousands where `DARKSTREAM_TEST_RUNS` says so. */
const runs = Number(process.env['DARKSTREAM_TEST_RUNS'] ?? 300)
/** Repeats the run that printed it. */
const seed = process.env['DARKSTREAM_TEST_SEED']
const parameters = { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) }
/** Milliseconds that no configuration takes on a slow machine; an exponential reader would take hours. */
const longest_ms = 10_000

setDefaultTimeout(60_000 + runs * 200)

const example = readFileSync(join(import.meta.dir, '..', '..', 'config.example.yaml'), 'utf8')
const exampleLines = example.split('\n')
const keyNames = [...keys.keys()]

const oddScalars = [
  ['', '~', 'null', 'true', 'yes', '0', '-1', '1.5', '1e999', '0x10', '0o7', '1_000', '.inf', '.NaN', '٣'],
  ['30s', '1h30m', '25d', '0.0001ms', '999999999999999999999d', '1s1s', '5M', '5MB', '-5M', '1x1', '99999x2'],
  ['"', "'", '|', '>', '[', '{', '[a', '{a: b}', '[[.mp4]]', '[.mp4, null]', '!!binary aGk=', '!!int x', '!x y'],
  ['&a b', '*a', '*', '<<', '? a', '- a', '#', '%', '@', '`', '\t', 'a: b', '"\\ud800"', '"\\0"', '\u0000', '\u{feff}'],
  ['http://u:secret@h', 'http://[::1', 'x'.repeat(3000), '1'.repeat(3000), '$(id)', '~/x', '../..', ' '.repeat(2000)],
].flat()

/** Every key of a profile, and three that are right together. */
const profileLines = `profiles:
  - name: phone clips
    path: phones/**
    when:
      codec: [h264, h265]
      min_height: 720
      max_height: 2160
      hdr: false
    skip: true
  - name: "films: 4k"
    path:
      - films/**
      - '**/*.{mkv,avi}'
    when: {min_bitrate: 1M, max_bitrate: 2.5G, min_duration: 1s, max_duration: 2h, compliant: false}
    priority: 8
    conversion:
      codec: hevc
      bitrate: 12M
      quality: null
      verify: full, ssim=0.9
      target_resolution: 4k
  - name: the rest
    priority: 1`.split('\n')

/** Values that are right for some key, nearly right, or for none. */
const aScalar = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...keyNames.map((key) => String(writtenDefault(key)))) },
  { weight: 4, arbitrary: fc.constantFrom(...oddScalars) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.double().map(String) },
)

/** A change of a text by lines, `at` picks the line. */
type Edit = (lines: readonly string[], at: number) => string[]

const aLineEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.constantFrom<Edit>(
    (lines, at) => lines.filter((_, line) => line !== at),
    (lines, at) => [...lines.slice(0, at), ...lines.slice(at, at + 1), ...lines.slice(at)],
    (lines, at) => [...lines.slice(at), ...lines.slice(0, at)],
    (lines, at) => withLine(lines, at, (line) => line.replace(':', '')),
    (lines, at) => withLine(lines, at, (line) => `  ${line}`),
    (lines, at) => withLine(lines, at, (line) => line.trimStart()),
    (lines, at) => withLine(lines, at, (line) => line.replace(/^ +/, '\t')),
    (lines, at) => withLine(lines, at, (line) => `${line}\r`),
    (lines, at) => withLine(lines, at, (line) => line.replace(/(\w)(\w)/, '$2$1')),
    (lines, at) => withLine(lines, at, (line) => line.toUpperCase()),
    (lines, at) => withLine(lines, at, (line) => `${line}\n---`),
    (lines, at) => withLine(lines, at, (line) => line.replace(/: /, ': &a ')),
    (lines, at) => withLine(lines, at, () => '<<: *a'),
    (lines, at) => withLine(lines, at, () => '...'),
    (lines, at) => withLine(lines, at, () => '%YAML 9.9'),
    (lines, at) => withLine(lines, at, () => '__proto__: {polluted: true}'),
    (lines, at) => withLine(lines, at, () => 'constructor:\n  prototype: 1'),
    (lines) => lines.map((line) => `${line}\r`),
    (lines) => ['\u{feff}', ...lines],
  ),
  aScalar.map(
    (scalar): Edit =>
      (lines, at) =>
        withLine(lines, at, (line) => line.replace(/: .*/s, () => `: ${scalar}`)),
  ),
  aScalar.map(
    (scalar): Edit =>
      (lines, at) =>
        withLine(lines, at, () => scalar),
  ),
  fc.constantFrom(...keyNames).chain((key) =>
    aScalar.map((scalar): Edit => (lines) => [...lines, `${key.split('.')[0]}:`, `  ${key.split('.')[1]}: ${scalar}`]),
  ),
)

function withLine(lines: readonly string[], at: number, edit: (line: string) => string): string[] {
  return lines.map((line, number) => (number === at ? edit(line) : line))
}

/** Only the settings: changes in comments would say nothing. */
const settingLines = exampleLines
  .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
  .flatMap((line) => (line === 'profiles: []' ? profileLines : [line]))
const anEditedExample = fc
  .array(fc.tuple(aLineEdit, fc.nat()), { maxLength: 4 })
  .map((edits) =>
    edits.reduce<string[]>((lines, [edit, at]) => edit(lines, at % Math.max(1, lines.length)), settingLines),
  )
  .map((lines) => lines.join('\n'))

const aYaml = fc.oneof(
  { weight: 8, arbitrary: anEditedExample },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.json() },
)

const someEnvironment = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...keyNames.map(environmentName)),
    fc.constantFrom(
      'DARKSTREAM_',
      'DARKSTREAM_WORKER',
      'DARKSTREAM_SERVER_',
      'DARKSTREAM_SERVER_PROT',
      '__proto__',
      'PATH',
    ),
  ),
  aScalar,
  { maxKeys: 3 },
)
const someFlags = fc.dictionary(
  fc.oneof(
    fc.constantFrom<string>(...keyNames),
    fc.constantFrom('server', 'server.', '.port', 'server.port.x', 'constructor', ''),
  ),
  fc.oneof(aScalar, fc.boolean(), fc.double(), fc.record({ name: fc.constant('--flag'), value: aScalar })),
  { maxKeys: 3 },
)

/** Loads; what came of it is a configuration that holds in all its parts, or a list of problems that can be found. */
function judge(sources: ConfigSources): LoadedConfig | undefined {
  try {
    const loaded = loadConfig(sources)
    expectValid(loaded)
    return loaded
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.problems.length).toBeGreaterThan(0)
    const lines = Math.max(1, (sources.text ?? '').split('\n').length)
    const isPlaced = ({ source, line }: ConfigProblem) =>
      source === 'config.yaml' ? line !== null && line >= 1 && line <= lines : isSource(source, sources)
    expect(error.problems.filter((problem) => problem.message === '' || !isPlaced(problem))).toEqual([])
    expect(error.message).not.toContain('secret@')
    // oxlint-disable-next-line no-control-regex -- what a terminal would obey is exactly what must not be there
    expect(error.message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    return undefined
  }
}

function isSource(source: string, { environment, flags }: ConfigSources): boolean {
  return Object.hasOwn(environment, source) || (source.startsWith('--') && Object.keys(flags).length > 0)
}

/** Each value is one that its key's own rule gives back, and no rule between keys is broken. */
function expectValid(loaded: LoadedConfig): void {
  for (const { key, value, written } of configRows(loaded)) {
    const declared = keys.get(key)
    if (declared?.type.isSecret && value !== null) expect({ value, written }).toEqual({ value: '***', written: null })
    else if (value === null)
      expect({ key, nullMeans: declared?.nullMeans }).toEqual({ key, nullMeans: expect.any(String) })
    else expect({ key, value: declared?.type.parse(String(written)) }).toEqual({ key, value })
  }
  const isSet = (key: KeyName) => loaded.origins[key] !== 'default'
  const isInFile = (key: KeyName) => typeof loaded.origins[key] === 'object' && 'file' in loaded.origins[key]
  const broken = rules.filter(
    (rule) => !rule.is_doubt && rule.conflict(loaded.config, { isSet, isInFile }) !== undefined,
  )
  expect(broken).toEqual([])
}

function writtenDefault(key: KeyName): unknown {
  const declared = keys.get(key)
  return declared?.fallback === null ? 'null' : declared?.type.format(declared.fallback)
}

const aConfiguration = fc.record({ text: aYaml, environment: someEnvironment, flags: someFlags })

test(`${runs} random configurations each give a valid one, or problems with their places, and nothing else`, () => {
  const property = fc.property(aConfiguration, ({ text, environment, flags }) => {
    const loaded = judge({ file: 'config.yaml', text, environment, flags: { ...flags } })
    if (!loaded) return
    const { worker, ...rest } = loaded.config
    // What a flag opens for once, no file with a token may.
    if (rest.server.insecure && worker.token_file !== null) return
    // What holds can be written down and read again, but for the secret.
    const again = judge({ file: 'config.yaml', text: formatConfig(loaded), environment: {}, flags: {} })
    expect(again?.config).toEqual({ ...rest, worker: { ...worker, token: null } })
  })
  fc.assert(property, parameters)
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('random bytes in a file give problems and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-config-'))
  const file = join(folder, 'config.yaml')
  try {
    const bytes = fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: example.length }))
    const property = fc.property(bytes, ([wreck, at]) => {
      writeFileSync(file, Buffer.concat([Buffer.from(example.slice(0, at)), wreck, Buffer.from(example.slice(at))]))
      try {
        expectValid(loadConfig({ file, environment: {}, flags: {} }))
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        expect(error.problems.filter(({ source, line }) => source !== file || line === null)).toEqual([])
      }
    })
    fc.assert(property, { ...parameters, numRuns: Math.ceil(runs / 3) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A quarter of what a file may hold, each of a kind that a careless reader takes a square, an exponent or a stack for. */
const large = 64 * 1024
const monsters: Record<string, string> = {
  'nested lists': '['.repeat(large),
  'nested sections': Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'nested dashes': '- '.repeat(large / 2),
  'a section of thousands of keys': `server:\n${Array.from({ length: large / 14 }, (_, at) => `  key${at}: 1`).join('\n')}`,
  'one key thousands of times': `server:\n${'  port: 1\n'.repeat(large / 10)}`,
  'one section thousands of times': 'server:\n'.repeat(large / 8),
  'a list of thousands': `scanner:\n  video_extensions:\n${'    - .mp4\n'.repeat(large / 11)}`,
  'a list in a line': `scanner:\n  video_extensions: [${'.mp4,'.repeat(large / 5)}]`,
  'a text of extensions': `scanner:\n  video_extensions: "${'.mp4,'.repeat(large / 5)}"`,
  'a billion laughs': Array.from(
    { length: 30 },
    (_, at) => `a${at}: &a${at} [${at === 0 ? 'x' : `*a${at - 1},`.repeat(9)}]`,
  ).join('\n'),
  'merged laughs': Array.from(
    { length: 30 },
    (_, at) => `a${at}: &b${at} {${at === 0 ? 'x: 1' : `<<: [*b${at - 1}, *b${at - 1}]`}}`,
  ).join('\n'),
  'thousands of anchors': Array.from({ length: large / 16 }, (_, at) => `k${at}: &a${at} 1`).join('\n'),
  'thousands of documents': '---\n'.repeat(large / 4),
  'thousands of faults': '"\n'.repeat(large / 2),
  colons: ': '.repeat(large / 2),
  'question marks': '? '.repeat(large / 2),
  tags: '!!a '.repeat(large / 4),
  quotes: `server:\n  host: "${'\\"'.repeat(large / 2)}"`,
  'an open text': `server:\n  host: "${'x\n'.repeat(large / 2)}`,
  'a block of text': `server:\n  host: |\n${'    x\n'.repeat(large / 6)}`,
  'thousands of profiles': `profiles:\n${'- name: a\n'.repeat(large / 10)}`,
  'a profile of thousands of patterns': `profiles:\n- name: a\n  path:\n${'  - "**"\n'.repeat(large / 9)}`,
  'a long pattern': `profiles:\n- name: a\n  path: "${'**/*{a,'.repeat(large / 8)}"`,
  'a profile in a profile': Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}profiles: `).join('\n'),
  'whens in a when': `profiles: [{name: a, when: ${'{when: '.repeat(large / 8)}`,
  'a hundred profiles that all compare': `profiles:\n${Array.from(
    { length: 100 },
    (_, at) => `- {name: p${at}, path: [${'a/**, '.repeat(80)}p${at}/**], when: {codec: [${'h264, '.repeat(20)}]}}\n`,
  ).join('')}`,
  spaces: ' '.repeat(large),
  tabs: '\t'.repeat(large),
  comments: '#\n'.repeat(large / 2),
  'a long duration': `worker:\n  job_timeout: ${'1h '.repeat(large / 3)}`,
  'a long number': `server:\n  port: ${'9'.repeat(large)}`,
  'a long address': `worker:\n  master_url: http://${'a.'.repeat(large / 2)}`,
  'a long extension': `scanner:\n  video_extensions: [${'.a'.repeat(large / 2)}]`,
  'a long key': `${'a'.repeat(large)}: 1`,
  'a long name that is nearly one': `server:\n  ${'port'.repeat(large / 4)}: 1`,
  'a long password': `worker:\n  master_url: http:${'/'.repeat(large / 2)}u:p@h`,
}

test.each(Object.entries(monsters))('%s, without end, end in bounded time', (_, text) => {
  const start = performance.now()
  judge({ file: 'config.yaml', text, environment: {}, flags: {} })
  expect(performance.now() - start).toBeLessThan(longest_ms)
})

test.each(keyNames)('%s, 100 kB of it in a variable and a flag, ends in bounded time', (key) => {
  const start = performance.now()
  for (const piece of ['1', ' ', '1h ', '.a,', 'a.', '/', '//@', '-', 'é']) {
    const text = piece.repeat(Math.floor(1e5 / piece.length))
    judge({ environment: { [environmentName(key)]: text }, flags: { [key]: `${text}!` } })
  }
  expect(performance.now() - start).toBeLessThan(longest_ms)
})
