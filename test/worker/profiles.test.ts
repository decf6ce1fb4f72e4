import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import type { Api } from '../../src/contract/api.ts'
import { DarkstreamError } from '../../src/contract/error.ts'
import { useClips } from '../support/clips.ts'
import { probe } from '../support/cluster.ts'
import { openMaster, type TestMaster } from '../support/master.ts'
import { openWorker, workUntil } from './open-worker.ts'

setDefaultTimeout(60_000)
const clips = useClips()

async function addClip(master: TestMaster, name: string, clip: 'plain.mp4' | 'hdr.mkv' | 'interlaced.mkv') {
  return master.addSource(name, await Bun.file(await clips.path(clip)).bytes())
}

const jobOf = async (master: TestMaster, job_id: string) => (await master.remote.job({ job_id })).job

const config = (bitrate: string) => `
conversion: {preset: ultrafast, bitrate: ${bitrate}, container: mp4}
profiles:
  - {name: phone clips, path: "phones/**", skip: true}
  - {name: already h265, when: {codec: h265}, skip: true}
  - {name: small films, when: {max_height: 180, compliant: false}, conversion: {codec: hevc, bitrate: 200k}}
`

test('of three clips one is skipped by its path, one by its codec, and one is converted as its profile says; after a change of the settings only that one is asked for again', async () => {
  const master = openMaster({ config: config('300k') })
  const phone = await addClip(master, 'phones/a.mp4', 'plain.mp4')
  const hevc = await addClip(master, 'b.mkv', 'hdr.mkv')
  const film = await addClip(master, 'c.mkv', 'interlaced.mkv')
  const { worker } = openWorker(master.remote)
  await workUntil(master, worker, 2)
  expect(await jobOf(master, phone)).toMatchObject({
    status: 'skipped',
    profile: 'phone clips',
    skip_reason: 'profile phone clips says skip',
    attempt: 0,
  })
  expect(await jobOf(master, hevc)).toMatchObject({
    status: 'skipped',
    profile: 'already h265',
    skip_reason: expect.stringMatching(/^profile already h265 says skip: hevc at [\d.]+ [kM]b\/s in 160x90, HDR$/),
    source_facts: { codec: 'hevc', width: 160, height: 90, is_hdr: true, format: 'matroska' },
    attempt: 1,
  })
  const converted = await jobOf(master, film)
  expect(converted).toMatchObject({
    status: 'completed',
    profile: 'small films',
    skip_reason: null,
    source_facts: { codec: 'h264', width: 320, height: 180, is_hdr: false },
  })
  expect(await probe(converted.output_path)).toMatchObject({ video: 'hevc', size: '320x180' })
  expect(existsSync((await jobOf(master, hevc)).output_path)).toBe(false)

  await master.store.close()
  const changed = openMaster({
    base: master.root_path.replace(/\/source$/, ''),
    config: config('400k').replace('200k', '100k'),
  })
  const { requeued, groups } = await changed.remote.requeueChanged({ changed: true })
  expect({ requeued, groups }).toEqual({
    requeued: 1,
    groups: [
      {
        profile: 'small films',
        before: 'small films',
        status: 'completed',
        changes: ['bitrate 200 kb/s -> 100 kb/s'],
        jobs: 1,
      },
    ],
  })
  await workUntil(changed, openWorker(changed.remote).worker, 1)
  const again = await jobOf(changed, film)
  expect(again).toMatchObject({ status: 'completed', attempt: 2, profile: 'small films' })
  expect(again.output_size).toBeLessThan(converted.output_size ?? 0)
  expect(await changed.remote.requeueChanged({ changed: true })).toMatchObject({
    looked_at: 3,
    requeued: 0,
    unknown: 0,
  })
})

test('a clip whose profile gives it a later turn is looked at once, goes last, and is converted all the same, however long the master is away', async () => {
  const master = openMaster({
    config: 'conversion: {preset: ultrafast}\nprofiles: [{name: later, when: {hdr: true}, priority: 2}]',
  })
  const last = await addClip(master, 'a.mkv', 'hdr.mkv')
  master.clock.now += 1000
  const first = await addClip(master, 'b.mp4', 'plain.mp4')
  let refusals = 0
  const flaky: Api = {
    ...master.remote,
    release: async (input) => {
      if (refusals++ < 2) throw new DarkstreamError('unreachable', 'away')
      return master.remote.release(input)
    },
  }
  const { worker, lines } = openWorker(flaky, { concurrency: 1 })
  await workUntil(master, worker, 2)
  const ended = master.events.filter(({ type }) => type === 'completed').map(({ job }) => job.id)
  expect(ended).toEqual([first, last])
  expect(lines.filter((line) => line.includes('given back: profile later gives it priority 2'))).toHaveLength(1)
  expect(await jobOf(master, last)).toMatchObject({ attempt: 2, priority: 2, profile: 'later' })
})
