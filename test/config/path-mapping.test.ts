import { describe, expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { splitMapping } from '../../src/config/path-mapping.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { formatConfig } from '../../src/config/show.ts'

const load = (text: string) => loadConfig({ file: 'c.yaml', text, environment: {}, flags: {} })

describe('storage.path_map', () => {
  test.each([
    ['a map', 'storage:\n  path_map:\n    /mnt/a: /x\n    /mnt/b: Z:\\videos\n'],
    ['a list of maps', 'storage:\n  path_map:\n    - /mnt/a: /x\n    - /mnt/b: Z:\\videos\n'],
    ['a list of texts', 'storage:\n  path_map: ["/mnt/a => /x", "/mnt/b: Z:\\\\videos"]\n'],
    ['both', 'storage:\n  path_map:\n    - /mnt/a => /x\n    - /mnt/b: Z:\\videos\n'],
  ])('as %s is read, and shown so that it is read as the same', (_, text) => {
    const loaded = load(text)
    expect(loaded.config.storage.path_map).toEqual(['/mnt/a => /x', '/mnt/b => Z:\\videos'])
    expect(load(formatConfig(loaded)).config).toEqual(loaded.config)
  })

  test('comes from the environment too', () => {
    const environment = { DARKSTREAM_STORAGE_PATH_MAP: 'D:\\v => /mnt/v, /a: /b' }
    expect(loadConfig({ environment, flags: {} }).config.storage.path_map).toEqual(['D:\\v => /mnt/v', '/a => /b'])
  })

  test.each([
    ['storage:\n  path_map:\n    mnt: /x\n', 3],
    ['storage:\n  path_map:\n    /mnt: x\n', 3],
    ['storage:\n  path_map:\n    /mnt: [/x]\n', 3],
    ['storage:\n  path_map:\n    /mnt: /x\n    /mnt: /y\n', 4],
    ['storage:\n  path_map:\n    - /mnt\n', 3],
    ['storage:\n  path_map: {}\n', 2],
  ])('%p is a problem with its line and key', (text, line) => {
    try {
      load(text)
      throw new Error('it was taken')
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      const { problems } = error as ConfigError
      expect(problems.map((problem) => problem.line)).toEqual([line])
      expect(problems[0]?.key).toStartWith('storage.path_map')
    }
  })
})

test('a mapping has two sides; the colon of a drive is none between them', () => {
  expect(splitMapping('Z:\\a: /b')).toEqual({ from: 'Z:\\a', to: '/b' })
  expect(splitMapping('/a => D:\\b')).toEqual({ from: '/a', to: 'D:\\b' })
  expect(splitMapping('/a')).toBeUndefined()
  expect(splitMapping('/a => ')).toBeUndefined()
})
