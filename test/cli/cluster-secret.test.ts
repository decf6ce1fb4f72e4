import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clusterSecret, readSecret } from '../../src/cli/cluster-secret.ts'
import { openMaster } from '../support/master.ts'
import { temporaryFolder } from '../support/program.ts'
import { reason } from '../support/reason.ts'
import { lacksMounts, mountTinyDisk } from '../support/tiny-disk.ts'

test('half a secret of an earlier crash is in the way of none, and what is none is left alone', async () => {
  const queue = join(temporaryFolder(), 'jobs.db')
  writeFileSync(`${queue}-secret.new`, '{"wor')
  const { is_new, worker, admin } = await clusterSecret(queue, openMaster().store)
  expect(is_new).toBe(true)
  expect(readSecret(queue)).toEqual({ worker, admin })
  expect(statSync(`${queue}-secret`).mode & 0o777).toBe(0o600)
  expect(existsSync(`${queue}-secret.new`)).toBe(false)
  writeFileSync(`${queue}-secret`, 'something of mine')
  expect(await reason(clusterSecret(queue, openMaster().store))).toContain('move it away')
  expect(readFileSync(`${queue}-secret`, 'utf8')).toBe('something of mine')
})

test('a link that leads nowhere is replaced, and what it names is not made', async () => {
  const folder = temporaryFolder()
  const queue = join(folder, 'jobs.db')
  symlinkSync(join(folder, 'elsewhere'), `${queue}-secret`)
  await clusterSecret(queue, openMaster().store)
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
  expect(readSecret(queue)).toBeDefined()
})

describe.skipIf(lacksMounts('the secret on a full disk'))('on a full disk', () => {
  test('no secret is left half written, and the next start makes one', async () => {
    const folder = temporaryFolder()
    using disk = mountTinyDisk(join(folder, 'disk'), '1m')
    const queue = join(disk.path, 'jobs.db')
    disk.fill()
    expect(await reason(clusterSecret(queue, openMaster().store))).toContain('cannot be kept: ENOSPC')
    disk.clear()
    expect(await clusterSecret(queue, openMaster().store)).toMatchObject({ is_new: true })
  })
})
