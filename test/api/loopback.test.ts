import { expect, test } from 'bun:test'
import { isLoopback } from '../../src/api/loopback.ts'

test.each(['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'])(
  '%s is this machine alone',
  (host) => expect(isLoopback(host)).toBe(true),
)

test.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example', '', '1.127.0.0'])(
  '%s is not',
  (host) => expect(isLoopback(host)).toBe(false),
)
