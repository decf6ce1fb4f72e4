import { describe, expect, test } from 'bun:test'
import {
  Choice,
  Extension,
  Flag,
  Host,
  HostPattern,
  HttpUrl,
  Integer,
  ListOf,
  Name,
  Network,
  Path,
  Pin,
  UrlPath,
  type ValueType,
} from '../../src/config/values.ts'

const Extensions = ListOf(Extension, 'extensions')
const Codec = Choice(['h264', 'hevc'], { h265: 'hevc' })

describe('what is read', () => {
  const cases: [string, ValueType<unknown>, string, unknown][] = [
    ['a whole number', Integer(-1, 1000), '-1', -1],
    ['a whole number with spaces around it', Integer(-1, 1000), ' 1000\n', 1000],
    ['true', Flag, 'true', true],
    ['yes, as YAML 1.1 has it', Flag, 'Yes', true],
    ['0, as shells have it', Flag, '0', false],
    ['off', Flag, 'OFF', false],
    ['a word of a list in another case', Codec, 'HEVC', 'hevc'],
    ['another spelling of a word', Codec, 'H265', 'hevc'],
    ['a path with spaces and quotes', Path, "/mnt/my 'films'/a\"b", "/mnt/my 'films'/a\"b"],
    ['a path with a tilde inside', Path, './~old', './~old'],
    ['a name of 200 characters', Name, 'n'.repeat(200), 'n'.repeat(200)],
    ['a name in any script', Name, 'Gerät-Ä 1 🎬', 'Gerät-Ä 1 🎬'],
    ['an IPv6 address', Host, '::1', '::1'],
    ['a host name', Host, 'storage-server.local', 'storage-server.local'],
    ['a name for browsers', HostPattern, ' Media.Example. ', 'media.example'],
    ['a name beyond ASCII', HostPattern, 'bücher.example', 'xn--bcher-kva.example'],
    ['names below one', HostPattern, '*.fritz.box', '*.fritz.box'],
    ['an address for browsers', HostPattern, 'FD00:0::1', '[fd00::1]'],
    ['an address', HttpUrl, 'http://storage-server:8080', 'http://storage-server:8080'],
    [
      'an address without the slashes at its end',
      HttpUrl,
      'HTTPS://Media.Example.org/darkstream//',
      'https://media.example.org/darkstream',
    ],
    ['an address with an IPv6 host', HttpUrl, 'http://[::1]:8080/', 'http://[::1]:8080'],
    ['a pin', Pin, `sha256:${'0f'.repeat(32)}`, `sha256:${'0f'.repeat(32)}`],
    ['a pin as openssl has it', Pin, ` ${Array(32).fill('0F').join(':')}`, `sha256:${'0f'.repeat(32)}`],
    ['a path of URLs', UrlPath, '/media/dark.stream-1/', '/media/dark.stream-1'],
    ['the root of URLs', UrlPath, '/', '/'],
    ['an address of a network', Network, '::FFFF:10.0.0.1', '::ffff:10.0.0.1'],
    ['a network', Network, '10.0.0.0/08', '10.0.0.0/8'],
    ['a network of IPv6', Network, 'fd00::/8', 'fd00::/8'],
    ['an extension', Extension, '.MP4', '.mp4'],
    ['an extension without its dot', Extension, 'mkv', '.mkv'],
    ['an extension of two parts', Extension, '.tar.gz', '.tar.gz'],
    ['a list separated by commas, each item once', Extensions, 'mp4, .mkv,.MP4,', ['.mp4', '.mkv']],
  ]
  test.each(cases)('%s', (_title, type, text, value) => {
    expect(type.parse(text)).toEqual(value)
  })
})

describe('what is refused', () => {
  const cases: [string, ValueType<unknown>, string[]][] = [
    ['no pin', Pin, ['', 'sha256:', '0f'.repeat(31), 'g0'.repeat(32), `sha1:${'0f'.repeat(32)}`]],
    ['no path of URLs', UrlPath, ['', '//evil', 'dark', '/a//b', '/../a', '/a/.', '/a b', '/a?b', '/%2e', '/ä']],
    [
      'no network',
      Network,
      [
        '',
        'proxy',
        '10.0.0.0/33',
        '::/129',
        '10.0.0.0/',
        '10.0.0.0/-1',
        '10.0.0',
        '*',
        '1.2.3.4:80',
        '[::1]',
        '10.0.0.0/8/8',
      ],
    ],
    [
      'no whole number',
      Integer(-1, 1000),
      ['', ' ', '1.5', '1e3', '0x10', '1_000', '1,000', 'deep', '-2', '1001', '--1', '9'.repeat(400), '½'],
    ],
    ['no yes or no', Flag, ['', '2', 'maybe', 'tru', 'null', '-1']],
    ['no word of the list', Codec, ['', 'h263', 'h264,hevc', '__proto__', 'constructor', 'toString']],
    ['no path', Path, ['', '  ', '~', '~/videos', '~anna/videos', 'a\0b', 'a\nb', 'a\u007fb']],
    ['no name', Name, ['', ' ', 'n'.repeat(201), 'a\nb', '\u001b[2J']],
    [
      'no host',
      Host,
      ['', 'http://host', 'a b', 'host/path', 'a,b', '[::1]', '0.0.0.0:8080', '10.0.0.300', '-a', 'a..b'],
    ],
    [
      'no name for browsers',
      HostPattern,
      ['', '*', '*.', '.lan', 'http://media', 'media:8080', 'a*.lan', '*.10.0.0.1', 'a b', 'a/b', 'media@evil', 'a,b'],
    ],
    [
      'no address',
      HttpUrl,
      [
        '',
        'storage-server:8080',
        'ftp://host',
        'http://',
        'http:///x',
        'http://a b',
        'http://host:99999',
        'http://host?x=1',
        'http://host#top',
        'http://user@host',
        'http://user:secret@host',
        'javascript:alert(1)',
      ],
    ],
    ['no extension', Extension, ['', '.', '..', '*.mp4', 'a/b', '.m p', '.mp4;', '...mp4', `.${'x'.repeat(40)}`]],
    ['no list', Extensions, ['', ',', 'mp4,,mkv', 'mp4 mkv', '[.mp4]']],
  ]
  test.each(cases)('%s', (_title, type, texts) => {
    for (const text of texts) expect([text, type.parse(text)]).toEqual([text, undefined])
  })
})

test('texts without end are refused at once', () => {
  const long = 100_000
  for (const type of [Integer(0, 9), Flag, Codec, Name, Host, HttpUrl, Extension, Extensions]) {
    for (const text of [
      `http://a${'/'.repeat(long)}x`,
      `1${' '.repeat(long)}x`,
      `${'a.'.repeat(long)}!`,
      ','.repeat(long),
    ]) {
      expect(type.parse(text)).toBeUndefined()
      expect((type.hint?.(text) ?? '').length).toBeLessThan(40)
    }
  }
})

test('a hint says what to write instead', () => {
  expect(Codec.hint?.('h2644')).toBe('did you mean h264?')
  expect(Codec.hint?.('h256')).toBe('did you mean h265?')
  expect(HttpUrl.hint?.('storage-server:8080')).toBe('write http://storage-server:8080')
  expect(Extension.hint?.('*.mp4')).toBe('write .mp4')
  expect(Path.hint?.('~/videos')).toBe('write the whole path, ~ is not expanded')
  expect(Host.hint?.('http://0.0.0.0')).toBe('leave out the scheme')
  expect(Host.hint?.('0.0.0.0:8080')).toBe('leave out the port, which is server.port')
  expect(Host.hint?.('[::]')).toBe('leave out the brackets')
  expect(HostPattern.hint?.('media.example:8080')).toBe('leave out the port, any is meant')
  expect(HostPattern.hint?.('https://media.example')).toBe('leave out the scheme')
  expect(HostPattern.hint?.('*')).toBe('a page could bring any name; name those that lead to the master')
  expect(Codec.hint?.('quicktime')).toBeUndefined()
})
