import { expect, test } from 'bun:test'
import { childEnvironment } from '../../src/cli/child-environment.ts'

test('a child gets no token and no proxy with its password, and all the rest', () => {
  const own = {
    PATH: '/bin',
    DARKSTREAM_WORKER_TOKEN: 'dsw_x',
    HTTPS_PROXY: 'http://me:secret@proxy',
    http_proxy: 'http://me:secret@proxy',
    all_proxy: 'socks5://me:secret@proxy',
    VK_DRIVER_FILES: '/driver.json',
  }
  const given = Object.entries(childEnvironment(own)).filter(([, value]) => value !== undefined)
  expect(Object.fromEntries(given)).toEqual({ PATH: '/bin', VK_DRIVER_FILES: '/driver.json' })
  expect(own.HTTPS_PROXY).toContain('secret')
})
