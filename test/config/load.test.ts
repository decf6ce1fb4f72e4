import { describe, expect, test } from 'bun:test'
import { ConfigError } from '../../src/config/problems.ts'
import { type ConfigSources, loadConfig } from '../../src/config/load.ts'

const load = (sources: Partial<ConfigSources>) => loadConfig({ environment: {}, flags: {}, ...sources })

function linesOf(sources: Partial<ConfigSources>): string[] {
  try {
    load(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const defaults = {
  server: {
    port: 8080,
    host: '0.0.0.0',
    insecure: null,
    discovery: true,
    base_path: '/',
    trusted_proxies: null,
    allowed_hosts: null,
    tls_cert: null,
    tls_key: null,
    self_signed: false,
  },
  scanner: {
    root_path: '/mnt/storage/videos',
    video_extensions: ['.mp4', '.mkv', '.mov', '.avi', '.flv', '.webm', '.m4v'],
    output_base: '/mnt/storage/converted',
    recursive_depth: -1,
    scan_interval: 600_000,
    settle_time: 10_000,
    watch: true,
  },
  database: { path: './jobs.db', keep_history: 7_776_000_000 },
  queue: { max_retries: 3, retry_delay: 10_000, max_retry_delay: 600_000, worker_timeout: 120_000 },
  conversion: {
    target_resolution: { width: 1920, height: 1080 },
    codec: 'h264',
    bitrate: 5_000_000,
    preset: 'fast',
    audio_codec: 'aac',
    audio_bitrate: 128_000,
    container: 'mp4',
    overwrite: false,
    quality: null,
    max_bitrate: null,
    two_pass: false,
    audio_channels: 'keep',
    max_size_ratio: null,
    verify: { decode: 'samples', metric: null },
  },
  replace: { enabled: false, keep_originals: 604_800_000, hard_links: 'skip' },
  worker: {
    id: null,
    concurrency: null,
    master_url: 'http://localhost:8080',
    token: null,
    token_file: null,
    ca: null,
    pin: null,
    discovery: true,
    heartbeat_interval: 30_000,
    job_check_interval: 5000,
    prefetch: 1,
    job_timeout: 7_200_000,
  },
  storage: {
    mode: 'auto',
    mount_path: null,
    path_map: null,
    download_timeout: 1_800_000,
    max_bandwidth: null,
    cache_path: null,
    max_cache: 50_000_000_000,
    min_free: 1_000_000_000,
  },
  ffmpeg: { path: 'ffmpeg', gpu: 'prefer', use_vulkan: true, timeout: 7_200_000, stall_timeout: 300_000 },
  vulkan: { preferred_device: 'auto', slots: null, enable_validation: false },
  logging: { level: 'info', format: 'text', output_path: null },
} as const

test('with nothing given, every key has its default', () => {
  const { config, origins } = load({})
  expect(config).toEqual({
    ...defaults,
    scanner: { ...defaults.scanner, video_extensions: [...defaults.scanner.video_extensions] },
    profiles: [],
  })
  expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
  expect(load({ file: null }).config).toEqual(config)
  expect(load({ file: 'c.yaml', text: '' }).config).toEqual(config)
})

test('flags override the environment, that the file, that the defaults', () => {
  const { config, origins } = load({
    file: 'c.yaml',
    text: 'server:\n  port: 1\nworker:\n  id: file\n  concurrency: 2\n',
    environment: { DARKSTREAM_WORKER_ID: 'variable', DARKSTREAM_WORKER_CONCURRENCY: '3' },
    flags: { 'worker.concurrency': 4, 'worker.master_url': undefined },
  })
  expect([config.server.port, config.worker.id, config.worker.concurrency]).toEqual([1, 'variable', 4])
  expect(origins).toMatchObject({
    'server.port': { file: 'c.yaml', line: 2 },
    'worker.id': { environment: 'DARKSTREAM_WORKER_ID' },
    'worker.concurrency': { flag: '--concurrency' },
    'worker.master_url': 'default',
  })
})

test('a list comes from YAML or, separated by commas, from anywhere', () => {
  for (const sources of [
    { text: 'scanner: {video_extensions: [MP4, .mkv, .mp4]}' },
    { text: 'scanner: {video_extensions: "mp4,mkv"}' },
    { environment: { DARKSTREAM_SCANNER_VIDEO_EXTENSIONS: 'mp4, mkv' } },
    { flags: { 'scanner.video_extensions': '.mp4,.mkv' } },
  ]) {
    expect(load(sources).config.scanner.video_extensions).toEqual(['.mp4', '.mkv'])
  }
})

describe('what is wrong', () => {
  test('is reported all at once, each with its place, what was expected and what was found', () => {
    const text = `server:
  port: 99999
  prot: 1
scanner:
  recursive_depth: "deep"
  settle_time: 90
  video_extensions:
    - .mp4
    - "*.mkv"
    -
  output_base: [a, b]
conversoin:
  codec: h264
conversion:
  codec: h256
  codec: hevc
  bitrate: fast
  target_resolution: 1921x1080
worker:
  id: *someone
  master_url: http://anna:s3cret@host
  concurrency: 0
logging: json
`
    const environment = { DARKSTREAM_QUEUE_MAX_RETRIES: '101', DARKSTREAM_LOGGING_TOKEN: 's3cret' }
    const found = linesOf({ file: 'c.yaml', text, environment, flags: { 'server.host': 'http://x', 'server.hots': 1 } })
    expect(found).toEqual([
      'c.yaml:2: server.port: expected a whole number from 0 to 65535, found "99999"',
      'c.yaml:3: server.prot: unknown key; did you mean port?',
      'c.yaml:5: scanner.recursive_depth: expected a whole number from -1 to 1000, found "deep"',
      'c.yaml:6: scanner.settle_time: expected a duration from 0s to 24d, such as 30s or 1h30m, found "90"; write 90s',
      'c.yaml:9: scanner.video_extensions: expected a file extension such as .mp4, found "*.mkv"; write .mkv',
      'c.yaml:10: scanner.video_extensions: expected a file extension such as .mp4, found nothing',
      'c.yaml:11: scanner.output_base: expected a path, found a list',
      'c.yaml:12: conversoin: unknown section; did you mean conversion?',
      'c.yaml:15: conversion.codec: expected one of h264, hevc, av1, vp9, ffv1, prores, found "h256"; did you mean h265?',
      'c.yaml:16: conversion.codec: set twice, first on line 15',
      'c.yaml:17: conversion.bitrate: expected a bitrate from 10k to 1G bits per second, such as 5M or 128k, found "fast"',
      'c.yaml:18: conversion.target_resolution: expected a size such as 1920x1080 or 1080p, both numbers even, 2 to 16384, found "1921x1080"',
      'c.yaml:20: worker.id: expected a value, found the alias "*someone", which is not supported here',
      'c.yaml:21: worker.master_url: expected an address such as http://storage-server:8080, without user name, password, query or fragment, found "http://***@host"',
      'c.yaml:22: worker.concurrency: expected a whole number from 1 to 64, found "0"',
      'c.yaml:23: logging: expected a section with keys such as level, found "json"',
      'DARKSTREAM_LOGGING_TOKEN: logging.token: unknown key; it belongs to worker',
      'DARKSTREAM_QUEUE_MAX_RETRIES: queue.max_retries: expected a whole number from 0 to 100, found "101"',
      '--hots: server.hots: unknown key; did you mean host?',
      '--host: server.host: expected a host name or an IP address, found "http://x"; leave out the scheme',
    ])
  })

  test('is reported even where a better value overrides it', () => {
    expect(linesOf({ file: 'c.yaml', text: 'server: {port: x}', flags: { 'server.port': 1 } })).toEqual([
      'c.yaml:1: server.port: expected a whole number from 0 to 65535, found "x"',
    ])
  })

  test('is reported beside a file that cannot be read', () => {
    expect(linesOf({ file: '/nowhere/c.yaml', environment: { DARKSTREAM_SERVER_PORT: 'x' } })).toEqual([
      '/nowhere/c.yaml: cannot be read: there is no such file',
      'DARKSTREAM_SERVER_PORT: server.port: expected a whole number from 0 to 65535, found "x"',
    ])
  })

  test('between keys is reported at the key that was set', () => {
    const text = 'conversion:\n  codec: vp9\n  container: webm\n'
    expect(linesOf({ file: 'c.yaml', text })).toEqual([
      'c.yaml:3: conversion.container: webm holds opus, not aac (conversion.container with conversion.audio_codec)',
    ])
    expect(linesOf({ flags: { 'scanner.root_path': { name: 'SOURCE', value: '/mnt/storage/converted' } } })).toEqual([
      'SOURCE: scanner.root_path: expected scanner.output_base to be another folder than scanner.root_path that does not contain it, or results would lie among the sources',
    ])
  })

  test('in a flag is named as the person typed it', () => {
    expect(
      linesOf({
        flags: { 'worker.master_url': 'x', 'scanner.output_base': { name: 'OUTPUT', value: '' }, nonsense: true },
      }),
    ).toEqual([
      '--nonsense: nonsense: unknown section; there are server, scanner, database, queue, conversion, replace, worker, storage, ffmpeg, vulkan, logging, profiles',
      '--master-url: worker.master_url: expected an address such as http://storage-server:8080, without user name, password, query or fragment, found "x"; write http://x:8080',
      'OUTPUT: scanner.output_base: expected a path, found nothing',
    ])
  })
})

test('no key accepts an empty list, a section, or a text that is far from all', () => {
  for (const key of ['server.port', 'scanner.video_extensions', 'ffmpeg.use_vulkan', 'logging.output_path']) {
    const [section, name] = key.split('.')
    for (const value of ['[]', '{a: 1}', '"\\0"', '""']) {
      expect(linesOf({ file: 'c.yaml', text: `${section}:\n  ${name}: ${value}` })[0]).toStartWith(
        `c.yaml:2: ${key}: expected `,
      )
    }
  }
})
