import { describe, expect, test } from 'bun:test'
import { addressBytes, canonicalAddress, isInNetwork } from '../../src/api/ip-address.ts'

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:0a01:0203', '10.1.2.3'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::', '::'],
  ['1::', '1::'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
])('%s is counted as %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})

test.each([
  '',
  'localhost',
  '10.1.2',
  '10.1.2.3.4',
  '010.1.2.3',
  '1.2.3.4:80',
  '[::1]',
  ':::',
  '1::2::3',
  '10.0.0.0/8',
])('%p is no address', (text) => {
  expect([addressBytes(text), canonicalAddress(text)]).toEqual([undefined, undefined])
})

test('an IPv6 address has its sixteen bytes in order', () => {
  expect([...(addressBytes('102:304::f00d') ?? [])]).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x0d])
})

describe('a network holds its addresses and no other', () => {
  test.each([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.0', '9.255.255.255', '::a00:1']],
    ['10.1.2.128/25', ['10.1.2.128', '10.1.2.255'], ['10.1.2.127', '10.1.3.128']],
    ['10.1.2.3', ['10.1.2.3', '::ffff:a01:203'], ['10.1.2.2']],
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1']],
    ['fd00::/8', ['fd12:3456::1', 'fdff::'], ['fe00::', '253.0.0.0']],
    ['2001:db8::8000/113', ['2001:db8::ffff', '2001:db8::8000'], ['2001:db8::7fff', '2001:db8:0:0:0:0:1:8000']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
    ['::/0', ['::', 'ffff::'], ['0.0.0.0']],
    ['::ffff:10.0.0.0/104', ['10.200.0.1', '::ffff:10.0.0.1'], ['11.0.0.1']],
  ])('%s', (network, inside, outside) => {
    expect(inside.filter((address) => !isInNetwork(address, network))).toEqual([])
    expect(outside.filter((address) => isInNetwork(address, network))).toEqual([])
    expect(isInNetwork('nonsense', network)).toBe(false)
  })
})
