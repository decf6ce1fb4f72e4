import { describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '../../../src/contract/api.ts'
import { DarkstreamError } from '../../../src/contract/error.ts'
import type { PathMapping } from '../../../src/worker/transfer/path-map.ts'
import { SharedMount } from '../../../src/worker/transfer/shared-mount.ts'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { openFiles, serve } from './open-files.ts'
import { reason } from '../../support/reason.ts'

const old = () => Promise.reject(new DarkstreamError('not_found', 'there is nothing'))

/** A master whose job `w` has claimed. */
async function claimed(name = 'a.mp4') {
  const master = openMaster()
  await master.addSource(name, 'a film of old')
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  if (job === null) throw new Error('there is no job')
  return { master, job }
}

function mountOf(api: Api, path_map: PathMapping[] = [], now?: () => number) {
  return new SharedMount({ api, worker_id: 'w', path_map, ...(now === undefined ? {} : { now }) })
}

const leftIn = ({ output_base }: TestMaster) => readdirSync(join(output_base, '.darkstream', 'work'))

describe('a mount is the master’s own', () => {
  test('where both sides read what the other wrote, and the source is the same file', async () => {
    const { master, job } = await claimed()
    const { source_path, staging_path } = job
    expect(await mountOf(master.api).find(job)).toEqual({ source_path, staging_path })
    expect(leftIn(master)).toEqual([])
  })

  test('under other names too', async () => {
    const { master, job } = await claimed('films/ü #1%.mp4')
    const here = join(temporaryFolder(), 'nas')
    symlinkSync(join(master.root_path, '..'), here)
    const found = await mountOf(master.api, [{ from: join(master.root_path, '..'), to: here }]).find(job)
    expect(found).toMatchObject({ source_path: join(here, 'source', 'films', 'ü #1%.mp4') })
  })

  test('where the name of a source is spelt with its accents apart', async () => {
    const { master, job } = await claimed('é.mp4')
    const apart = join(master.root_path, 'é.mp4'.normalize('NFD'))
    renameSync(job.source_path, apart)
    const mark = { size: 13, mtime_ms: Math.floor(statSync(apart).mtimeMs), head_bytes: 65_536 }
    const head_sha256 = new Bun.CryptoHasher('sha256').update('a film of old').digest('hex')
    const api: Api = { ...master.api, sourceMark: async () => ({ ...mark, head_sha256 }) }
    expect(await mountOf(api).find(job)).toMatchObject({ source_path: apart })
  })
})

describe('a mount is not the master’s own', () => {
  test('where there is nothing, or a folder of the same names and other files', async () => {
    const { master, job } = await claimed()
    const here = temporaryFolder()
    const map = [{ from: join(master.root_path, '..'), to: here }]
    expect(await mountOf(master.api, map).find(job)).toMatchObject({ why: expect.stringContaining('is not here') })
    expect(leftIn(master)).toEqual([])
    cpSync(join(master.root_path, '..', 'source'), join(here, 'source'), { recursive: true, preserveTimestamps: true })
    mkdirSync(join(here, 'output', '.darkstream', 'work'), { recursive: true })
    expect(await mountOf(master.api, map).find(job)).toMatchObject({ why: expect.stringContaining('is not here') })
  })

  test('where it shows what the master writes, and the master does not see what is written here', async () => {
    const { master, job } = await claimed()
    const copied: Api = {
      ...master.api,
      // A mirror that goes one way only.
      async beginStorageProof(input) {
        const proof = await master.api.beginStorageProof(input)
        const elsewhere = join(temporaryFolder(), 'work')
        cpSync(join(proof.path, '..'), elsewhere, { recursive: true })
        const moved = (path: string) => join(elsewhere, path.slice(path.lastIndexOf('/') + 1))
        return { ...proof, path: moved(proof.path), answer_path: moved(proof.answer_path) }
      },
    }
    expect(await mountOf(copied).find(job)).toMatchObject({ why: expect.stringContaining('is another one here') })
    expect(leftIn(master)).toEqual([])
  })

  test.each([
    ['another size', (path: string) => writeFileSync(path, 'short')],
    ['another beginning', (path: string) => writeFileSync(path, 'a film of new')],
    ['another time', (path: string) => utimesSync(path, 1, 1)],
  ])('where the source has %s', async (_, change) => {
    const { master, job } = await claimed()
    const here = temporaryFolder()
    cpSync(master.root_path, join(here, 'source'), { recursive: true, preserveTimestamps: true })
    const changed = join(here, 'source', 'a.mp4')
    const { atime, mtime } = statSync(changed)
    if (_ === 'another beginning') {
      change(changed)
      utimesSync(changed, atime, mtime)
    } else change(changed)
    const found = await mountOf(master.api, [{ from: master.root_path, to: join(here, 'source') }]).find(job)
    expect(found).toMatchObject({ why: expect.stringContaining('another file than the master') })
  })
})

test('what was found is kept until a job fails; what was not is looked for again after a minute', async () => {
  const { master } = await claimed()
  let asked = 0
  const counted: Api = { ...master.api, beginStorageProof: (input) => (asked++, master.api.beginStorageProof(input)) }
  const good = mountOf(counted)
  expect(good.isProven()).toBe(false)
  for (let looks = 0; looks < 3; looks++) await good.whyOtherOutput()
  expect([asked, good.isProven()]).toEqual([1, true])
  good.doubt()
  await good.whyOtherOutput()
  expect(asked).toBe(2)
  let now = 0
  const bad = mountOf(counted, [{ from: master.output_base, to: '/nowhere' }], () => now)
  for (let looks = 0; looks < 3; looks++) expect(await bad.whyOtherOutput()).toContain('/nowhere')
  expect(asked).toBe(3)
  now = 60_000
  await bad.whyOtherOutput()
  expect(asked).toBe(4)
})

test('of a master that knows no proofs the mount is taken as it was before', async () => {
  const { master, job } = await claimed()
  const mount = mountOf({ ...master.api, beginStorageProof: old, sourceMark: old })
  expect(await mount.find(job)).toMatchObject({ source_path: job.source_path })
  expect(mount.isProven()).toBe(false)
})

test('with mode mount a job whose files are not here fails for others to take, with a remedy; with auto it goes by HTTP', async () => {
  const { master, job } = await claimed()
  const served = serve(master)
  const path_map = [{ from: join(master.root_path, '..'), to: '/nowhere' }]
  const refused = openFiles({ ...served, path_map, mode: 'mount' }).choose(job)
  expect(await refused.catch((error: unknown) => error)).toMatchObject({ report: { class: 'worker', step: 'stage' } })
  expect(await reason(refused)).toContain('set storage.path_map, or let storage.mode be auto')
  expect(await openFiles({ ...served, path_map, mode: 'auto' }).choose(job)).toMatchObject({ way: 'http' })
  expect(await openFiles({ ...served, mode: 'auto' }).choose(job)).toMatchObject({ way: 'mount' })
  expect(await openFiles({ ...served, mode: 'http' }).choose(job)).toMatchObject({ way: 'http' })
})
