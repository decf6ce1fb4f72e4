import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { profileKeys } from '../../src/config/profile-keys.ts'
import { type ConfigSources, loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { formatConfig } from '../../src/config/show.ts'
import { profilesRow } from '../../src/config/show-profiles.ts'

const load = (text: string, more: Partial<ConfigSources> = {}) =>
  loadConfig({ file: 'c.yaml', text, environment: {}, flags: {}, ...more })

/** The problems of a file without its name, `line: key: message`. */
function problemsOf(text: string, more: Partial<ConfigSources> = {}): string[] {
  try {
    load(text, more)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n').map((line) => line.replace(/^c\.yaml:/, ''))
  }
}

const two = `conversion:
  bitrate: 4M
profiles:
  - name: phone clips
    path: "phones/**"
    when: {codec: [h265, mpeg4], min_height: 2160, hdr: true, min_bitrate: 20M, max_duration: 1m30s}
    skip: yes
  - name: films in 4k
    path: [films/**, "**/*.{mkv,mov}"]
    when: {min_height: 1440}
    priority: 8
    conversion:
      codec: hevc
      bitrate: 12M
      target_resolution: 4k
`

describe('a list of profiles', () => {
  const loaded = load(two)

  test('gives each its conditions and the whole of its settings', () => {
    const [phones, films] = loaded.config.profiles
    const { overwrite: _, ...base } = loaded.config.conversion
    expect(phones).toEqual({
      name: 'phone clips',
      path: ['phones/**'],
      when: { codec: ['hevc', 'mpeg4'], min_height: 2160, hdr: true, min_bitrate: 20_000_000, max_duration: 90 },
      skip: true,
      priority: null,
      settings: base,
    })
    expect(films).toEqual({
      name: 'films in 4k',
      path: ['films/**', '**/*.{mkv,mov}'],
      when: { min_height: 1440 },
      skip: false,
      priority: 8,
      settings: {
        ...base,
        codec: 'hevc',
        bitrate: 12_000_000,
        target_resolution: { width: 3840, height: 2160 },
      },
    })
  })

  test('is changed by flags that change the settings below it', () => {
    const { config } = load(two, { flags: { 'conversion.bitrate': '1M', 'conversion.preset': 'slow' } })
    expect(config.profiles.map(({ settings }) => [settings.bitrate, settings.preset])).toEqual([
      [1_000_000, 'slow'],
      [12_000_000, 'slow'],
    ])
  })

  test('is shown as YAML that means the same', () => {
    const text = formatConfig(loaded)
    expect(load(text).config).toEqual(loaded.config)
    expect(text).toContain(`
profiles:
  # c.yaml:4
  - name: phone clips
    path:
      - phones/**
    when:
      codec:
        - hevc
        - mpeg4
      min_height: 2160
      hdr: true
      min_bitrate: 20M
      max_duration: 1m30s
    skip: true
  # c.yaml:8
  - name: films in 4k
`)
    expect(formatConfig(load(''))).toEndWith('\n\nprofiles: []\n')
  })

  test('is shown as data', () => {
    const row = profilesRow(loaded.profiles)
    expect(row.origin).toEqual([
      { file: 'c.yaml', line: 4 },
      { file: 'c.yaml', line: 8 },
    ])
    expect(row.written[1]).toEqual({
      name: 'films in 4k',
      path: ['films/**', '**/*.{mkv,mov}'],
      when: { min_height: 1440 },
      priority: 8,
      conversion: { codec: 'hevc', bitrate: '12M', target_resolution: '3840x2160' },
    })
    expect(JSON.parse(JSON.stringify(row))).toEqual(row)
  })
})

test.each(['', 'profiles:', 'profiles: ~', 'profiles: []'])('%p gives no profile', (text) => {
  expect(load(text).config.profiles).toEqual([])
})

test('a name alone is a profile: what it takes keeps the settings of all', () => {
  expect(load('profiles: [{name: a, path: a/**, when: , conversion: }]').config.profiles).toMatchObject([
    { name: 'a', when: {}, skip: false, priority: null },
  ])
})

const withQuality = (quality: string) =>
  `conversion: {quality: 60}\nprofiles:\n  - name: a\n    conversion:\n      quality: ${quality}\n`

test('null takes a setting away, and an empty value leaves it', () => {
  expect(load(withQuality('null')).config.profiles[0]?.settings.quality).toBeNull()
  expect(load(withQuality('')).config.profiles[0]?.settings.quality).toBe(60)
  expect(load(formatConfig(load(withQuality('~')))).config.profiles[0]?.settings.quality).toBeNull()
})

const many = (count: number) =>
  `profiles:\n${Array.from({ length: count }, (_, at) => `- {name: p${at}, path: "${at}/**"}\n`).join('')}`

describe('is refused with its line:', () => {
  test.each([
    ['profiles: yes', '1: profiles: expected a list of profiles, each with - name: in front, found "yes"'],
    ['profiles:\n  a: 1', '1: profiles: expected a list of profiles, each with - name: in front, found a section'],
    ['profiles:\n- phones', '2: profiles.1: expected a profile with a name and what it does, found "phones"'],
    ['profiles:\n- skip: true', '2: profiles.1.name: expected a name, found nothing'],
    ['profiles:\n- name: a\n  when: yes', '3: profiles.1.when: expected keys with values, found "yes"'],
    ['profiles:\n- name: a\n  skipp: yes', '3: profiles.1.skipp: unknown key; did you mean skip?'],
    ['profiles:\n- name: a\n  codec: hevc', '3: profiles.1.codec: unknown key; it belongs to when or conversion'],
    [
      'profiles:\n- name: a\n  when: {skip: 1}',
      '3: profiles.1.when.skip: unknown key; it belongs to the profile itself',
    ],
    [
      'profiles:\n- name: a\n  when: {min_hight: 1}',
      '3: profiles.1.when.min_hight: unknown key; did you mean min_height?',
    ],
    [
      'profiles:\n- name: a\n  conversion:\n    container: mkv',
      "4: profiles.1.conversion.container: not for a profile: a result's name is fixed when its file is found, so conversion.container is one for all files",
    ],
    ['profiles:\n- name: a\n  name: b', '3: profiles.1.name: set twice, first on line 2'],
    [
      'profiles:\n- name: a\n  priority: 11',
      '3: profiles.1.priority: expected a whole number from 0 to 10, found "11"',
    ],
    [
      'profiles:\n- name: a\n  when:\n    codec: [h264, h2654]',
      '4: profiles.1.when.codec: expected a video codec as ffprobe names it, such as h264 or mpeg2video, found "h2654"; did you mean h264?',
    ],
    ['profile: []', '1: profile: unknown section; did you mean profiles?'],
  ])('%p', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })

  test('everything at once', () => {
    expect(
      problemsOf('server: {port: x}\nprofiles:\n- name: a\n  skip: maybe\n- when: {hdr: 7}\n  oops: 1\n').map((line) =>
        line.split(': ').slice(0, 2).join(': '),
      ),
    ).toEqual([
      '1: server.port',
      '4: profiles.1.skip',
      '5: profiles.2.when.hdr',
      '5: profiles.2.name',
      '6: profiles.2.oops',
    ])
  })

  test('what was not understood, and nothing that would follow from its not being there', () => {
    expect(problemsOf('profiles:\n- {name: a, when: {min_hight: 1}, skip: true}\n- {name: b, skip: true}')).toEqual([
      '2: profiles.1.when.min_hight: unknown key; did you mean min_height?',
    ])
  })

  test('more than a hundred of them', () => {
    expect(problemsOf(many(100))).toEqual([])
    expect(problemsOf(many(101))).toEqual(['1: profiles: expected at most 100 profiles, found 101'])
  })
})

describe('a pattern that fits no file, or not those that were meant, is refused:', () => {
  test.each([
    ['/mnt/phones/**', 'relative to scanner.root_path, without / in front'],
    ['../phones/**', 'without . and .. for folders'],
    ['./phones/**', 'without . and .. for folders'],
    ['phones', 'write phones/** for all that is in the folder'],
    ['phones/', 'write phones/** for all that is in the folder'],
    ['phones\\**\\x', 'write / between folders'],
    ['!phones/**', 'an earlier profile takes what this one shall not, there is no !'],
    ['.', 'write ** for all that is in the folder'],
    ['[ab/**', 'close its [ with ], or write \\[ for the sign itself'],
    ['[]/**', 'close its [ with ], or write \\[ for the sign itself'],
    ['{a,{b}/**', 'close its { with }, or write \\{ for the sign itself'],
    [String.raw`{a,b\}/**`, 'close its { with }, or write \\{ for the sign itself'],
  ])('%p', (pattern, hint) => {
    const [problem] = problemsOf(`profiles:\n- name: a\n  path:\n  - '${pattern}'`)
    expect(problem).toStartWith('4: profiles.1.path: expected a pattern of at most 1000 characters for paths below')
    expect(problem).toEndWith(`; ${hint}`)
    const [single] = problemsOf(`profiles:\n- name: a\n  path: '${pattern}'`)
    expect(single).toStartWith('3: profiles.1.path: expected a list of patterns such as ["phones/**"], found ')
    expect(single).toEndWith(`; ${hint}`)
  })

  test.each(
    [
      ['**', '*', 'a/b.mp4', '**/*.{mp4,mkv}', 'a, b/**', '[ab]/**', 'a b/ü?/*'],
      ['[]a]/**', '[!]a]/**', '[{]/**', 'a]b}/**', '{a,{b,[}]}}/**'],
      [String.raw`films \[hevc\]/**`, String.raw`films \[hevc/**`, String.raw`\{a/**`],
    ].flat(),
  )('while %p is right', (pattern) => {
    const { config } = load(`profiles:\n- name: a\n  path: '${pattern}'`)
    expect(config.profiles[0]?.path).toEqual([pattern])
  })
})

const profile = (...lines: string[]) => `profiles:\n- name: a\n${lines.map((line) => `  ${line}\n`).join('')}`

describe('demands that cannot be are refused:', () => {
  test.each([
    [
      profile('when: {min_height: 10, max_height: 9}'),
      '3: profiles.1.when.max_height: expected at least min_height, or no file is meant',
    ],
    [
      profile('when:', '  max_duration: 1s', '  min_duration: 2s'),
      '4: profiles.1.when.max_duration: expected at least min_duration, or no file is meant',
    ],
    [
      profile('skip: true', 'conversion: {codec: hevc}'),
      '4: profiles.1.conversion.codec: expected no conversion with skip: true, unless when.compliant compares with it',
    ],
    [
      profile('priority: 1', 'skip: true'),
      '3: profiles.1.priority: expected no priority with skip: true, what is skipped has no turn',
    ],
    [
      profile('conversion: {codec: prores}'),
      '3: profiles.1.conversion.codec: mp4 holds h264 or hevc or av1 or vp9, not prores (conversion.container with conversion.codec)',
    ],
    [
      `conversion: {quality: 60}\n${profile('conversion: {bitrate: 1M}')}`,
      '4: profiles.1.conversion.bitrate: conversion.quality (60) decides here too: set quality: null beside it',
    ],
    [
      `conversion: {container: webm, codec: vp9, audio_codec: opus}\n${profile('conversion: {audio_codec: aac}')}`,
      '4: profiles.1.conversion.audio_codec: webm holds opus, not aac (conversion.container with conversion.audio_codec)',
    ],
  ])('%p', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })

  test.each([
    ['two_pass: true', 'quality: 60', /two_pass to be false with conversion\.quality/],
    [
      'bitrate: 5M, max_bitrate: 6M',
      'bitrate: 12M',
      /max_bitrate to be at least conversion\.bitrate \(12M\), found 6M/,
    ],
  ])('%p with a profile of %p', (base, own, message) => {
    const [problem, ...others] = problemsOf(`conversion: {${base}}\n${profile(`conversion: {${own}}`)}`)
    expect(problem).toMatch(message)
    expect([problem?.startsWith('4: profiles.1.conversion.'), others]).toEqual([true, []])
  })

  test('but a skip may say what it compares with', () => {
    expect(problemsOf(profile('when: {compliant: true}', 'skip: true', 'conversion: {codec: hevc}'))).toEqual([])
  })

  test('what the settings of all conflict in is reported once, at them', () => {
    expect(problemsOf(`conversion:\n  container: webm\n${profile('conversion: {bitrate: 1M}')}`)).toHaveLength(2)
  })

  test('a flag can bring a profile into conflict', () => {
    const flags = { 'conversion.container': 'mov', 'conversion.audio_codec': 'aac' }
    expect(problemsOf(profile('conversion: {audio_codec: opus}'), { flags })).toEqual([
      '3: profiles.1.conversion.audio_codec: mov holds aac, not opus (conversion.container with conversion.audio_codec)',
    ])
  })
})

const pair = (first: string, second: string) => problemsOf(`profiles:\n- {name: a, ${first}}\n- {name: b, ${second}}`)

describe('a profile that nothing is left for is refused:', () => {
  test.each([
    ['skip: true', 'path: x/**, when: {hdr: true}'],
    ['path: [x/**, y/**]', 'path: [y/**], when: {codec: h264}'],
    ['path: "**"', 'path: [x/**, "*.avi"]'],
    ['path: [y/**, "**/*"], when: {hdr: true}', 'path: x/**, when: {hdr: true, codec: h264}'],
    ['when: {min_height: 1000}', 'when: {min_height: 1080, codec: h264}'],
    ['when: {codec: [h264, hevc]}', 'when: {codec: h265}'],
    ['when: {max_bitrate: 9M, hdr: false}', 'when: {max_bitrate: 8M, hdr: false}'],
    ['when: {compliant: true}, skip: true', 'when: {compliant: true, hdr: true}, skip: true'],
  ])('after %p: %p', (first, second) => {
    expect(pair(first, second)).toEqual([
      '3: profiles.2.name: nothing is left for it: "a" on line 2 takes every file that it would',
    ])
  })

  test.each([
    ['path: x/**', 'skip: true'],
    ['path: x/**', 'path: [x/**, y/**]'],
    ['path: "**"', 'skip: true'],
    ['path: "**/*.avi"', 'path: x/**'],
    ['path: "**", when: {hdr: true}', 'path: x/**'],
    ['when: {min_height: 1080}', 'when: {min_height: 1000}'],
    ['when: {min_height: 0001, max_height: 2000}', 'when: {min_height: 1}'],
    ['when: {codec: h264}', 'when: {codec: [h264, hevc]}'],
    ['when: {max_height: 9999}', 'when: {hdr: true}'],
    ['when: {compliant: true}, skip: true', 'when: {compliant: true}, conversion: {codec: hevc}'],
  ])('after %p there are files for %p', (first, second) => {
    expect(pair(first, second)).toEqual([])
  })

  test('names are given once', () => {
    expect(problemsOf('profiles:\n- {name: a, path: a/**}\n- {name: a, path: b/**}')).toEqual([
      '3: profiles.2.name: taken by the profile on line 2',
    ])
  })
})

test('variables and flags cannot set profiles, and say so', () => {
  const message = 'profiles: profiles are written in the configuration file only'
  expect(problemsOf('', { environment: { DARKSTREAM_PROFILES: '[]' } })).toEqual([`DARKSTREAM_PROFILES: ${message}`])
  expect(problemsOf('', { environment: { DARKSTREAM_PROFILES_SKIP: '1' } })).toEqual([
    `DARKSTREAM_PROFILES_SKIP: ${message}`,
  ])
  expect(problemsOf('', { flags: { profiles: 'a' } })).toEqual([`--profiles: ${message}`])
})

test('the example of docs/profiles.md is a configuration, and its table has every condition', () => {
  const text = readFileSync(join(import.meta.dir, '../../docs/profiles.md'), 'utf8')
  const example = /```yaml\n(.*?)```/s.exec(text)?.[1] ?? ''
  expect(load(example).config.profiles.map(({ name }) => name)).toEqual(['phone clips', 'films in 4k', 'right already'])
  const conditions = [...profileKeys.keys()].filter((key) => key.startsWith('when.')).map((key) => key.slice(5))
  expect(conditions.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})

test('every video codec that ffmpeg knows can be a condition', async () => {
  const child = Bun.spawn(['ffmpeg', '-hide_banner', '-codecs'], { stdout: 'pipe', stderr: 'ignore' })
  const lines = (await child.stdout.text()).split('\n')
  const names = lines.flatMap((line) => /^ [D.][E.]V... (\w+)/.exec(line)?.[1] ?? [])
  expect(names.length).toBeGreaterThan(100)
  const type = profileKeys.get('when.codec')?.type
  expect(names.filter((name) => !isDeepStrictEqual(type?.parse(name), [name]))).toEqual([])
})
