import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { profileKeys } from '../../src/config/profile-keys.ts'
import { keys } from '../../src/config/schema.ts'

const top = join(import.meta.dir, '../..')
const loadFile = (file: string) => loadConfig({ file: join(top, file), environment: {}, flags: {} })

describe('config.example.yaml', () => {
  const text = readFileSync(join(top, 'config.example.yaml'), 'utf8')

  test('loads, and means the defaults', () => {
    expect(loadFile('config.example.yaml').config).toEqual(loadConfig({ environment: {}, flags: {} }).config)
  })

  test('holds every key, and no other', () => {
    const { profiles, ...sections }: Record<string, object> = parse(text)
    const written = Object.entries(sections).flatMap(([section, values]) =>
      Object.keys(values).map((name) => `${section}.${name}`),
    )
    expect(written.toSorted()).toEqual([...keys.keys()].toSorted())
    expect(profiles).toEqual([])
  })

  test('its profile in comments is one, with its two ways to act each for itself', () => {
    const commented = text.slice(text.indexOf('#   - name:'), text.indexOf('\nprofiles: []'))
    const lines = commented.split('\n').map((line) => line.slice(1))
    const without = (pattern: RegExp) => ['profiles:', ...lines.filter((line) => !pattern.test(line))].join('\n')
    for (const other of [/^ +(priority|conversion):/, /^ +skip:/]) {
      const loaded = loadConfig({ file: 'c.yaml', text: without(other), environment: {}, flags: {} })
      expect(loaded.config.profiles).toHaveLength(1)
    }
    // All that a profile may say is in it, but for the opposite bounds, which it names.
    const opposite = /^when\.(max_height|max_bitrate|min_duration)$/
    const shown = [...profileKeys.keys()].filter((key) => !key.startsWith('conversion.') && !opposite.test(key))
    expect(shown.filter((key) => !new RegExp(`\\b${key.split('.').at(-1)}:`).test(commented))).toEqual([])
  })

  test('explains every key in a comment above it', () => {
    const bare = text
      .split('\n')
      .filter((line, at, lines) => /^ {2}\w+:/.test(line) && !/^ {2}# /.test(lines[at - 1] ?? ''))
    expect(bare).toEqual([])
  })
})

describe('the original system’s example files load unchanged', () => {
  test('the master’s', () => {
    const { config, origins } = loadFile('test/fixtures/master.original.yaml')
    expect(config.scanner.video_extensions).toHaveLength(7)
    expect(config.conversion).toMatchObject({ codec: 'h264', bitrate: 5_000_000, audio_bitrate: 128_000 })
    expect(config.logging).toEqual({ level: 'info', format: 'json', output_path: './master.log' })
    expect(origins['database.path']).toMatchObject({ line: 19 })
  })

  test('the worker’s', () => {
    const { config } = loadFile('test/fixtures/worker.original.yaml')
    expect(config.worker).toEqual({
      id: 'worker-1',
      concurrency: 3,
      master_url: 'http://storage-server:8080',
      token: null,
      token_file: null,
      ca: null,
      pin: null,
      discovery: true,
      heartbeat_interval: 30_000,
      job_check_interval: 5000,
      prefetch: 1,
      job_timeout: 7_200_000,
    })
    expect(config.storage).toEqual({
      mode: 'auto',
      mount_path: '/mnt/storage',
      path_map: null,
      download_timeout: 1_800_000,
      max_bandwidth: null,
      max_cache: 50_000_000_000,
      cache_path: '/tmp/converter-cache',
      min_free: 1_000_000_000,
    })
    expect(config.ffmpeg).toMatchObject({ path: '/usr/bin/ffmpeg', use_vulkan: true, timeout: 7_200_000 })
  })
})
