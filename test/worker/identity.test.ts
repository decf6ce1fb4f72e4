import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeLeftovers, takeIdentity } from '../../src/worker/identity.ts'
import { temporaryFolder } from '../support/program.ts'

/** A pid file as another living process would have left it: init is always there, and has a start time on Linux. */
function livingHolder(cache_path: string, worker_id: string): void {
  mkdirSync(join(cache_path, `worker-${worker_id}`), { recursive: true })
  const started = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19]
  writeFileSync(join(cache_path, `worker-${worker_id}`, 'pid'), `${process.ppid} ${started}`)
}

test('the id is the host name unless one is configured, and its folder is private', () => {
  const cache_path = join(temporaryFolder(), 'cache')
  const unnamed = takeIdentity({ cache_path, configured_id: null, hostname: 'box' })
  const named = takeIdentity({ cache_path, configured_id: 'gpu/1 ..', hostname: 'box' })
  expect([unnamed?.worker_id, named?.worker_id]).toEqual(['box', 'gpu/1 ..'])
  expect(statSync(unnamed?.work_base ?? '').mode & 0o777).toBe(0o700)
  expect(named?.work_base.startsWith(`${cache_path}/worker-`)).toBe(true)
})

test('workers that share a host get names of their own; a configured name is refused while its owner lives', () => {
  const cache_path = temporaryFolder()
  livingHolder(cache_path, 'box')
  expect(takeIdentity({ cache_path, configured_id: null, hostname: 'box' })?.worker_id).toBe('box-2')
  expect(takeIdentity({ cache_path, configured_id: 'box', hostname: 'box' })).toBeUndefined()
})

test('the name of a dead process is free, also when its number came back to another process', () => {
  const cache_path = temporaryFolder()
  for (const [name, mark] of [
    ['dead', '4194305 1'],
    ['reborn', `${process.ppid} 1`],
    ['garbled', 'x'],
  ] as const) {
    mkdirSync(join(cache_path, `worker-${name}`))
    writeFileSync(join(cache_path, `worker-${name}`, 'pid'), mark)
    expect(takeIdentity({ cache_path, configured_id: name, hostname: 'box' })?.worker_id).toBe(name)
  }
})

test('what an earlier run left is removed but for its outbox, and a released name is free', () => {
  const cache_path = temporaryFolder()
  const identity = takeIdentity({ cache_path, configured_id: 'a', hostname: 'box' })
  if (!identity) throw new Error('not taken')
  mkdirSync(join(identity.work_base, 'job.1'))
  mkdirSync(join(identity.work_base, 'outbox'))
  writeFileSync(join(identity.work_base, 'outbox', 'a.json'), '{}')
  removeLeftovers(identity)
  expect(existsSync(join(identity.work_base, 'outbox', 'a.json'))).toBe(true)
  expect(existsSync(join(identity.work_base, 'job.1'))).toBe(false)
  expect(existsSync(join(identity.work_base, 'pid'))).toBe(true)
  identity.release()
  expect(existsSync(join(identity.work_base, 'pid'))).toBe(false)
})
