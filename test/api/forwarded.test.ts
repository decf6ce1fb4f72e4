import { describe, expect, test } from 'bun:test'
import { assert, integer, property, string } from 'fast-check'
import { callerOf } from '../../src/api/forwarded.ts'

const trusted = ['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8']
const ask = (peer: string | undefined, headers: Record<string, string>) => callerOf(peer, new Headers(headers), trusted)
const usual = (text: string, more: Record<string, string> = {}) => ({ 'X-Forwarded-For': text, ...more })

describe('what a stranger says of others is not believed', () => {
  test.each([
    [usual('1.2.3.4', { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' })],
    [{ Forwarded: 'for=1.2.3.4;host=evil.example;proto=https' }],
  ])('%p', (headers) => {
    for (const peer of ['9.9.9.9', '2001:db8::1', '11.0.0.1', '::ffff:9.9.9.9']) {
      expect(ask(peer, headers)).toEqual({ address: peer })
    }
    expect(ask(undefined, headers)).toEqual({ address: undefined })
    expect(callerOf('127.0.0.1', new Headers(headers), [])).toEqual({ address: '127.0.0.1' })
  })
})

describe('the caller is the first on the way back who is no proxy of ours', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['1.2.3.4, 10.0.0.7', '1.2.3.4'],
    ['1.2.3.4, 10.0.0.7, fd00::2', '1.2.3.4'],
    // The first is what the caller wrote himself.
    ['6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['127.0.0.1, 1.2.3.4', '1.2.3.4'],
    ['10.0.0.9, 1.2.3.4, 10.0.0.7', '1.2.3.4'],
    // All are ours: the outermost one.
    ['10.0.0.9, 10.0.0.7', '10.0.0.9'],
    // Beyond what cannot be read nobody is known.
    ['1.2.3.4, unknown', '127.0.0.1'],
    ['1.2.3.4, _hidden, 10.0.0.7', '10.0.0.7'],
    ['1.2.3.4, <script>, 10.0.0.7', '10.0.0.7'],
    ['999.1.1.1', '127.0.0.1'],
    ['', '127.0.0.1'],
    [' , ,', '127.0.0.1'],
    ['1.2.3.4,', '1.2.3.4'],
  ])('X-Forwarded-For: %s', (text, address) => {
    expect(ask('127.0.0.1', usual(text)).address).toBe(address)
    expect(ask('::ffff:127.0.0.1', usual(text)).address?.replace('::ffff:', '')).toBe(address)
  })

  test.each([
    ['for=1.2.3.4', '1.2.3.4'],
    ['For="1.2.3.4:80"', '1.2.3.4'],
    ['for="[2001:db8:cafe::17]:4711";proto=http', '2001:db8:cafe::17'],
    ['for=6.6.6.6, for=1.2.3.4;by=10.0.0.1 , for=10.0.0.7', '1.2.3.4'],
    ['for=1.2.3.4, for=unknown', '127.0.0.1'],
    ['for=1.2.3.4, for="_a,b;c"', '127.0.0.1'],
    ['for=1.2.3.4, proto=https', '127.0.0.1'],
    // A quote that the caller opened swallows what the proxy adds.
    ['for="6.6.6.6, for=1.2.3.4', '127.0.0.1'],
    ['for="6.6.6.6, for="[2001:db8::1]"', '127.0.0.1'],
    [';;=,', '127.0.0.1'],
  ])('Forwarded: %s', (text, address) => {
    expect(ask('127.0.0.1', { Forwarded: text }).address).toBe(address)
  })
})

type Told = [headers: Record<string, string>, host: string | undefined, scheme: 'http' | 'https' | undefined]

describe('host and scheme are what the outermost proxy of ours was asked for', () => {
  test.each<Told>([
    [usual('1.2.3.4', { 'X-Forwarded-Host': 'Media.example', 'X-Forwarded-Proto': 'HTTPS' }), 'media.example', 'https'],
    // A proxy that sets no address.
    [{ 'X-Forwarded-Host': 'media.example:8443', 'X-Forwarded-Proto': 'https' }, 'media.example:8443', 'https'],
    // One that adds to what the caller wrote.
    [usual('6.6.6.6, 1.2.3.4', { 'X-Forwarded-Host': 'evil.example, media.example' }), 'media.example', undefined],
    // Two of ours in a row, that add or that replace.
    [usual('1.2.3.4, 10.0.0.7', { 'X-Forwarded-Host': 'media.example, inner' }), 'media.example', undefined],
    [usual('1.2.3.4, 10.0.0.7', { 'X-Forwarded-Host': 'media.example' }), 'media.example', undefined],
    [
      { Forwarded: 'for=6.6.6.6;host=evil.example, for=1.2.3.4;host="media.example:1";proto=https' },
      'media.example:1',
      'https',
    ],
    [usual('1.2.3.4', { 'X-Forwarded-Proto': 'gopher' }), undefined, undefined],
    [usual('1.2.3.4'), undefined, undefined],
  ])('%p', (headers, host, scheme) => {
    const caller = ask('10.0.0.1', headers)
    expect([caller.host, caller.scheme]).toEqual([host, scheme])
  })
})

test('where the two kinds of headers differ, the caller has made up one of them, and neither counts', () => {
  const both = {
    Forwarded: 'for=6.6.6.6;host=evil.example;proto=https',
    ...usual('1.2.3.4', { 'X-Forwarded-Host': 'media.example' }),
  }
  expect(ask('127.0.0.1', both)).toEqual({ address: '127.0.0.1', host: undefined, scheme: undefined })
  const alike = {
    Forwarded: 'for=1.2.3.4;host=media.example',
    ...usual('1.2.3.4', { 'X-Forwarded-Host': 'media.example' }),
  }
  expect(ask('127.0.0.1', alike)).toEqual({ address: '1.2.3.4', host: 'media.example', scheme: undefined })
})

test('whatever a caller writes in front, what the proxy adds decides', () => {
  const printable = string({ unit: integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) })
  assert(
    property(printable, (text) => {
      expect(ask('127.0.0.1', usual(`${text}, 1.2.3.4`)).address).toBe('1.2.3.4')
      expect(ask('127.0.0.1', { Forwarded: `${text}, for=1.2.3.4` }).address).toBeOneOf(['1.2.3.4', '127.0.0.1'])
    }),
  )
})
