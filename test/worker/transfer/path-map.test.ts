import { describe, expect, test } from 'bun:test'
import { mapPath, type PathMapping, spellings } from '../../../src/worker/transfer/path-map.ts'

const maps = (...pairs: [string, string][]): PathMapping[] => pairs.map(([from, to]) => ({ from, to }))

describe('a path of the master as this host has it', () => {
  test.each([
    ['/mnt/storage/a/b.mp4', maps(['/mnt/storage', '/media/nas']), '/media/nas/a/b.mp4'],
    ['/mnt/storage/a/b.mp4', maps(['/mnt/storage/', '/media/nas/']), '/media/nas/a/b.mp4'],
    ['/mnt/storage', maps(['/mnt/storage', '/media/nas']), '/media/nas'],
    ['/mnt/storage2/b.mp4', maps(['/mnt/storage', '/media/nas']), '/mnt/storage2/b.mp4'],
    ['/elsewhere/mnt/storage/b.mp4', maps(['/mnt/storage', '/media/nas']), '/elsewhere/mnt/storage/b.mp4'],
    ['/a/b/c.mp4', maps(['/a', '/x'], ['/a/b', '/y']), '/y/c.mp4'],
    ['/a/b/c.mp4', maps(['/a/b', '/y'], ['/a', '/x']), '/y/c.mp4'],
    ['/a/bc/c.mp4', maps(['/a', '/x'], ['/a/b', '/y']), '/x/bc/c.mp4'],
    ['/a/b', maps(['/', '/net/master']), '/net/master/a/b'],
    ['/mnt/a', maps(['/mnt', '/']), '/a'],
    ['/mnt', maps(['/mnt', '/']), '/'],
    ['/a//b///c', maps(['/a', '/x']), '/x/b/c'],
    ['/A/b', maps(['/a', '/x']), '/A/b'],
    ['/a/b', [], '/a/b'],
  ])('%p by %p is %p', (path, map, expected) => {
    expect(mapPath(path, map)).toBe(expected)
  })

  test.each([
    ['/mnt/v/a/b c.mp4', maps(['/mnt/v', 'Z:\\videos']), 'Z:\\videos\\a\\b c.mp4'],
    ['/mnt/v/a.mp4', maps(['/mnt/v', 'Z:\\']), 'Z:\\a.mp4'],
    ['/mnt/v', maps(['/mnt/v', 'Z:']), 'Z:\\'],
    ['/mnt/v/a.mp4', maps(['/mnt/v', '\\\\nas\\share']), '\\\\nas\\share\\a.mp4'],
    ['D:\\Videos\\a\\b.mp4', maps(['d:\\videos', '/mnt/v']), '/mnt/v/a/b.mp4'],
    ['D:/Videos/a/b.mp4', maps(['D:\\Videos', '/mnt/v']), '/mnt/v/a/b.mp4'],
    ['D:\\Videos2\\b.mp4', maps(['D:\\Videos', '/mnt/v']), 'D:\\Videos2\\b.mp4'],
    ['\\\\NAS\\share\\a.mp4', maps(['\\\\nas\\Share', '/mnt/v']), '/mnt/v/a.mp4'],
    ['/nas/share/a.mp4', maps(['\\\\nas\\share', '/mnt/v']), '/nas/share/a.mp4'],
    ['D:\\a\\b.mp4', maps(['D:\\', 'E:\\x']), 'E:\\x\\a\\b.mp4'],
  ])('of Windows: %p by %p is %p', (path, map, expected) => {
    expect(mapPath(path, map)).toBe(expected)
  })

  test('a folder’s name fits in both forms of its accents, and the rest keeps its own', () => {
    const [composed, apart] = ['/mnt/Größe', '/mnt/Größe'.normalize('NFD')]
    expect(mapPath(`${apart}/é.mp4`, maps([composed, '/x']))).toBe('/x/é.mp4')
    expect(mapPath(`${composed}/${'é'.normalize('NFD')}`, maps([apart, '/x']))).toBe(`/x/${'é'.normalize('NFD')}`)
  })

  test.each([
    ['/mnt/v/../../etc/passwd', maps(['/mnt/v', '/x'])],
    ['/mnt/v/./a', maps(['/mnt/v', '/x'])],
    ['/mnt/v/..', []],
    ['/mnt/v/a\\b.mp4', maps(['/mnt/v', 'Z:\\v'])],
  ])('%p is none', (path, map) => {
    expect(mapPath(path, map)).toBeUndefined()
  })
})

test('a name is looked for as it is, composed and apart, each once', () => {
  expect(spellings('/a/b.mp4')).toEqual(['/a/b.mp4'])
  expect(spellings('/a/é')).toEqual(['/a/é', '/a/é'.normalize('NFD')])
  expect(spellings('/a/é'.normalize('NFD'))).toEqual(['/a/é'.normalize('NFD'), '/a/é'])
})
