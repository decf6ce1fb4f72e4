import { describe, expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { profilesOfPath, surelyHolding } from '../../src/master/path-profiles.ts'

/** The profiles of a file's text, asked for a path below `/films`. */
function asked(text: string) {
  const { config } = loadConfig({ file: 'c.yaml', text: `profiles:\n${text}`, environment: {}, flags: {} })
  const ofPath = profilesOfPath(config.profiles, '/films')
  return (path: string) => ofPath(path).map(({ name }) => name)
}

describe('a path falls under', () => {
  const names = asked(
    `
- {name: phones, path: "phones/**", when: {codec: h264}}
- {name: trailers, path: ["**/*-trailer.*", "trailers/**"]}
- {name: big, when: {min_height: 2160}}
- {name: top, path: "*"}
- {name: rest, priority: 3}
- {name: umlaut, path: "ÄRZTE/**", when: {hdr: true}}
`.replace(/(- \{name: rest.*\n)(- \{name: umlaut.*\n)/, '$2$1'),
  )

  test.each([
    ['/films/a.mp4', ['big', 'top']],
    ['/films/x/a.mp4', ['big', 'rest']],
    ['/films/phones/2024/a.mp4', ['phones', 'big', 'rest']],
    ['/films/phones/a-trailer.mp4', ['phones', 'trailers']],
    ['/films/a-trailer.mp4', ['trailers']],
    ['/films/Trailers/A.MP4', ['trailers']],
    ['/films/trailers', ['big', 'top']],
    ['/films/ärzte/a.mp4', ['big', 'umlaut', 'rest']],
    ['/films/a\u0308rzte/a.mp4', ['big', 'umlaut', 'rest']],
    ['/films/.hidden/a.mp4', ['big', 'rest']],
    ['/elsewhere/phones/a.mp4', ['big', 'rest']],
    ['/films/..a/b.mp4', ['big', 'rest']],
  ])('%p: %p', (path, expected) => {
    expect(names(path)).toEqual(expected)
  })
})

test('signs of patterns are taken as they are behind a backslash', () => {
  const names = asked(String.raw`- {name: a, path: '\[hevc\] \{x\}/*'}`)
  expect(names('/films/[HEVC] {x}/1.mp4')).toEqual(['a'])
  expect(names('/films/h {x}/1.mp4')).toEqual([])
})

test('without profiles there is none', () => {
  expect(profilesOfPath([], '/films')('/films/a.mp4')).toEqual([])
})

test('a profile surely holds where its path is all that it asks for, and no other may come before it', () => {
  const { config } = loadConfig({
    file: 'c.yaml',
    text: 'profiles: [{name: a, path: a/**, when: {hdr: true}}, {name: b, path: "**"}]',
    environment: {},
    flags: {},
  })
  const ofPath = profilesOfPath(config.profiles, '/')
  expect(surelyHolding(ofPath('/b/x.mp4'))?.name).toBe('b')
  expect(surelyHolding(ofPath('/a/x.mp4'))).toBeUndefined()
  expect(surelyHolding([])).toBeUndefined()
})
