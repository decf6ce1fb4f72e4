import { expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { configRows, formatConfig } from '../../src/config/show.ts'
import { keys } from '../../src/config/schema.ts'

const loaded = loadConfig({
  file: 'c.yaml',
  text: 'worker:\n  id: "# 1: \\"x\\" null"\n  job_timeout: 90m\nconversion: {bitrate: 2500000}\nstorage: {mount_path: "true"}\n',
  environment: { DARKSTREAM_SCANNER_VIDEO_EXTENSIONS: 'mp4,mkv' },
  flags: { 'server.port': 0, 'scanner.root_path': { name: 'SOURCE', value: '/a: b #c' } },
})

test('every value is shown as people write it, with where it came from', () => {
  const text = formatConfig(loaded)
  const shown = text.split('\n').map((line) => line.replace(/ {2,}#/, ' #').trim())
  for (const line of [
    'port: 0 # --port',
    'root_path: "/a: b #c" # SOURCE',
    'video_extensions: [.mp4, .mkv] # DARKSTREAM_SCANNER_VIDEO_EXTENSIONS',
    'bitrate: 2.5M # c.yaml:4',
    'target_resolution: 1920x1080 # default',
    'job_timeout: 1h30m # c.yaml:3',
    'mount_path: "true" # c.yaml:5',
    'concurrency: null # default: one per four CPU cores, at least one',
  ]) {
    expect(shown).toContain(line)
  }
  expect(text).toStartWith('server:\n  port: 0 ')
  expect(text).toContain('\n\nscanner:\n')
})

test('what is shown can be loaded and means the same', () => {
  const again = loadConfig({ file: 'shown.yaml', text: formatConfig(loaded), environment: {}, flags: {} })
  expect(again.config).toEqual(loaded.config)
})

test('a file name cannot break out of its comment', () => {
  const named = loadConfig({ file: 'a\nserver: x', text: 'server: {port: 1}', environment: {}, flags: {} })
  expect(formatConfig(named)).toContain('# a\\nserver: x:1\n')
})

test('as data there is one row for every key', () => {
  const rows = configRows(loaded)
  expect(rows.map(({ key }) => key)).toEqual([...keys.keys()])
  expect(rows.find(({ key }) => key === 'worker.job_timeout')).toEqual({
    key: 'worker.job_timeout',
    value: 5_400_000,
    written: '1h30m',
    origin: { file: 'c.yaml', line: 3 },
    doc: 'longest time for a whole job',
  })
  expect(JSON.parse(JSON.stringify(rows))).toEqual(rows)
})

test('a secret is not shown, and what is shown loads', () => {
  const loaded = loadConfig({ environment: { DARKSTREAM_WORKER_TOKEN: 'dsw_secret' }, flags: {} })
  const text = formatConfig(loaded)
  expect(text).toMatch(/^ {2}token: null +# DARKSTREAM_WORKER_TOKEN: a secret, not shown$/m)
  expect(text + JSON.stringify(configRows(loaded))).not.toContain('dsw_secret')
  expect(loadConfig({ file: 'c.yaml', text, environment: {}, flags: {} }).config.worker.token).toBeNull()
})

test('a default whose being set would mean something is shown, and not set by what is shown', () => {
  const pinned = loadConfig({
    environment: {},
    flags: { 'worker.pin': `sha256:${'0'.repeat(64)}`, 'queue.worker_timeout': '20s' },
  })
  const text = formatConfig(pinned)
  expect(text).toMatch(/^ {2}master_url: null +# default: http:\/\/localhost:8080$/m)
  const again = loadConfig({ file: 'c.yaml', text, environment: {}, flags: {} })
  expect(again.config).toEqual(pinned.config)
  expect(again.origins['worker.master_url']).toBe('default')
})
