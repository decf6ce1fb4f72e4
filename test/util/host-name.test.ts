import { expect, test } from 'bun:test'
import { hostName, isAddress } from '../../src/util/host-name.ts'

test.each([
  ['MEDIA.Example.', 'media.example'],
  ['media:8080', 'media'],
  ['bücher.example:80', 'xn--bcher-kva.example'],
  ['[::FFFF:10.0.0.1]:80', '[::ffff:a00:1]'],
  ['fe80::1%eth0', '[fe80::1]'],
  ['10.1', '10.0.0.1'],
  ['my_box.lan', 'my_box.lan'],
])('%s is spelled %s', (text, name) => expect(hostName(text)).toBe(name))

test.each(['', ':80', 'a:b', 'a:99999', 'a b', 'a/b', 'a@b', '[::1', '::1]', '1.2.3.4.5', '256.0.0.1', '[::1%25lo]'])(
  '%j is no host',
  (text) => expect(hostName(text)).toBeUndefined(),
)

test('addresses are told from names', () => {
  expect(['10.0.0.1', '[::1]'].map(isAddress)).toEqual([true, true])
  expect(['media', '10.0.0.1.example', 'fd00'].map(isAddress)).toEqual([false, false, false])
})
