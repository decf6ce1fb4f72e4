import { describe, expect, test } from 'bun:test'
import type { SourceFacts } from '../../src/contract/profile.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

const worker = { worker_id: 'w', boot_id: 'boot' }
const facts: SourceFacts = {
  codec: 'h264',
  width: 1280,
  height: 720,
  is_hdr: false,
  bit_rate: 3_000_000,
  duration_seconds: 60,
  format: 'mov',
}

async function claim(master: TestMaster) {
  const job = await master.remote.claim({ ...worker, request_id: crypto.randomUUID() })
  if (!job) throw new Error('there is a job')
  return { job, key: { job_id: job.id, worker_id: 'w', attempt: job.attempt } }
}

const jobOf = async (master: TestMaster, job_id: string) => (await master.remote.job({ job_id })).job

describe('an assignment', () => {
  const config = `
profiles:
- {name: phones, path: phones/**, when: {codec: h264}, conversion: {bitrate: 1M}}
- {name: tall, when: {min_height: 1000}, priority: 3, conversion: {codec: hevc}}
- {name: trailers, path: "**/*-trailer.*", conversion: {preset: slow}}
- {name: rest, conversion: {preset: veryfast}}
`

  test('holds the profiles that may hold for the path, with their settings, through the wire', async () => {
    const master = openMaster({ config })
    await master.addSource('phones/a.mp4')
    const { job } = await claim(master)
    expect(job.profiles.map(({ name }) => name)).toEqual(['phones', 'tall', 'rest'])
    expect(job.profiles[0]).toMatchObject({
      when: { codec: ['h264'] },
      settings: { bitrate: 1_000_000, codec: 'h264' },
    })
    expect(job.settings).toMatchObject({ bitrate: 5_000_000, preset: 'fast' })
    expect(Object.keys(job.profiles[0] ?? {})).not.toContain('path')
  })

  test('has the settings of a profile that holds for certain for who knows of no profiles', async () => {
    const master = openMaster({
      config:
        'profiles: [{name: a, path: a/**, when: {hdr: true}, conversion: {preset: slow}}, {name: rest, conversion: {preset: veryfast}}]',
    })
    await master.addSource('b.mp4')
    const sure = await master.remote.nextJob({ worker_id: 'foreign' })
    expect(sure?.settings.preset).toBe('veryfast')
    await master.addSource('a/a.mp4')
    expect((await master.remote.nextJob({ worker_id: 'foreign' }))?.settings.preset).toBe('fast')
  })

  test('keeps the container that the output is named for in all settings', async () => {
    const master = openMaster({ config: `conversion: {container: mkv}\n${config}` })
    // The test's sources are added for mp4.
    await master.addSource('a.mp4')
    const { job } = await claim(master)
    expect(new Set([job.settings, ...job.profiles.map((one) => one.settings)].map((one) => one.container))).toEqual(
      new Set(['mp4']),
    )
  })

  test('has no priorities of profiles where somebody gave the job one', async () => {
    const master = openMaster({ config })
    const id = await master.addSource('a.mp4')
    await master.remote.prioritizeJob({ job_id: id, priority: 6 })
    const { job } = await claim(master)
    expect(job.profiles.map(({ priority }) => priority)).toEqual([null, null])
  })
})

describe('a source whose profile gives it a later turn', () => {
  const config = 'profiles: [{name: later, when: {codec: h264}, priority: 2}]'

  test('is given back with what is known of it, goes behind the others, and keeps both', async () => {
    const master = openMaster({ config })
    const first = await master.addSource('a.mp4')
    master.clock.now += 1000
    const second = await master.addSource('b.mp4')
    const { key } = await claim(master)
    expect(key.job_id).toBe(first)
    expect(await master.remote.release({ ...key, source_facts: facts })).toEqual({ status: 'pending' })
    expect(master.events.at(-1)).toMatchObject({
      type: 'released',
      detail: 'profile later gives it priority 2: others go first',
    })
    expect(await jobOf(master, first)).toMatchObject({ priority: 2, source_facts: facts, status: 'pending' })
    expect((await claim(master)).job.id).toBe(second)
    expect((await claim(master)).job).toMatchObject({ id: first, source_facts: facts })
  })

  test('says so twice without harm', async () => {
    const master = openMaster({ config })
    await master.addSource('a.mp4')
    const { key } = await claim(master)
    await master.remote.release({ ...key, source_facts: facts })
    expect(await master.remote.release({ ...key, source_facts: facts })).toEqual({ status: 'pending' })
  })

  test('keeps the priority that a person gives it meanwhile', async () => {
    const master = openMaster({ config })
    const id = await master.addSource('a.mp4')
    const { key } = await claim(master)
    await master.remote.prioritizeJob({ job_id: id, priority: 9 })
    await master.remote.release({ ...key, source_facts: facts })
    expect(await jobOf(master, id)).toMatchObject({ priority: 9, source_facts: facts })
  })

  test('is not put off by the word of who does not hold it', async () => {
    const master = openMaster({ config })
    const id = await master.addSource('a.mp4')
    const { key } = await claim(master)
    const stranger = { ...key, worker_id: 'x', source_facts: facts }
    expect(await master.remote.release(stranger).catch((error: unknown) => error)).toMatchObject({ code: 'conflict' })
    expect(await jobOf(master, id)).toMatchObject({ status: 'processing', priority: 5, source_facts: null })
  })

  test('is what it was told to be only as long as its file does not change', async () => {
    const master = openMaster({ config })
    const id = await master.addSource('a.mp4')
    const { key } = await claim(master)
    await master.remote.release({ ...key, source_facts: facts })
    await Bun.write(`${master.root_path}/a.mp4`, 'another film')
    master.clock.now += 60_000
    expect((await claim(master)).job).toMatchObject({ id, source_facts: null })
  })
})

describe('a rule by path alone', () => {
  test('gives a new job its priority', async () => {
    const master = openMaster({ config: 'profiles: [{name: new, path: new/**, priority: 8}]' })
    expect(await jobOf(master, await master.addSource('new/a.mp4'))).toMatchObject({ priority: 8 })
    expect(await jobOf(master, await master.addSource('old/a.mp4'))).toMatchObject({ priority: 5 })
  })

  test('skips a new source without any worker', async () => {
    const master = openMaster({ config: 'profiles: [{name: phone clips, path: phones/**, skip: true}]' })
    const id = await master.addSource('phones/a.mp4')
    const skipped = { status: 'skipped', profile: 'phone clips', skip_reason: 'profile phone clips says skip' }
    expect(await jobOf(master, id)).toMatchObject({ ...skipped, attempt: 0 })
  })

  test('that came with a restart skips what was pending before it, for workers of all kinds', async () => {
    const before = openMaster()
    const base = before.root_path.replace(/\/source$/, '')
    const names = ['phones/a.mp4', 'phones/b.mp4', 'c.mp4']
    const ids = await Promise.all(names.map((name) => before.addSource(name)))
    await before.store.close()
    const master = openMaster({ base, config: 'profiles: [{name: phones, path: phones/**, skip: true}]' })
    expect((await master.remote.nextJob({ worker_id: 'foreign' }))?.id).toBe(ids[2] ?? '')
    for (const id of ids.slice(0, 2)) {
      expect(await jobOf(master, id)).toMatchObject({ status: 'skipped', profile: 'phones' })
    }
    expect(master.events.filter(({ type }) => type === 'skipped')).toHaveLength(2)
  })
})
