import { expect, test } from 'bun:test'
import { logJobEvents } from '../../src/master/events.ts'
import { createLog } from '../../src/util/log.ts'
import { result } from '../queue/cases/world.ts'
import { gpuReport, gpuState, onCpu, ranOn } from '../queue/gpu-samples.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

async function claimed(master: TestMaster, name = 'a.mkv') {
  await master.addSource(name)
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: crypto.randomUUID() })
  if (job === null) throw new Error('nothing to claim')
  return { job, claim: { job_id: job.id, worker_id: 'w', attempt: job.attempt } }
}

/** What a master's log says of all that happened so far. */
function logged(master: TestMaster): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const tell = logJobEvents(createLog({ level: 'debug', format: 'json', output_path: null, write }))
  master.events.forEach(tell)
  return lines
}

test('what a conversion ran on is on the job, on its attempt, in the figures and in the log', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  await master.remote.complete({ ...claim, output_size, ran_on: ranOn() })
  const shown = await master.remote.job({ job_id: job.id })
  expect(shown.job.ran_on).toEqual(ranOn())
  expect(shown.attempts).toMatchObject([{ outcome: 'completed', ran_on: ranOn() }])
  expect((await master.remote.stats({})).paths).toEqual([
    {
      decode: 'vulkan',
      filter: 'vulkan',
      encoder: 'h264_vulkan',
      device: 'a GPU',
      jobs: 1,
      fell_back: 0,
      last_reason: null,
    },
  ])
  expect(logged(master).map(({ level, message, ran_on }) => [level, message, ran_on])).toEqual([
    ['info', 'job claimed', undefined],
    ['info', 'job completed', 'h264_vulkan on a GPU, decoded and scaled there'],
  ])
})

test('that a GPU failed is a warning of its own with all reasons, on completed and on failed jobs', async () => {
  const master = openMaster()
  const reasons = ['the GPU ran out of memory', 'the next one too']
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  await master.api.complete({ ...claim, output_size, ran_on: onCpu({ reasons }) })
  const second = await claimed(master, 'b.mkv')
  await master.api.fail({ ...second.claim, error_message: 'it broke', ran_on: onCpu({ reasons: [] }) })
  const lines = logged(master).filter((line) => line['message'] !== 'job claimed')
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'job fell back from a GPU to libx264 on the CPU: the GPU ran out of memory; the next one too'],
    ['info', 'job completed'],
    ['warn', 'job fell back from a GPU to libx264 on the CPU: no reason given'],
    ['warn', 'job failed: it broke'],
  ])
  for (const line of lines) expect(line['ran_on']).toBe('libx264 on the CPU')
})

test('a failed attempt keeps what it ran on beside its message, which stays as the worker wrote it', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  await master.remote.fail({ ...claim, error_message: 'the encoder stopped', ran_on: onCpu() })
  const shown = await master.remote.job({ job_id: job.id })
  expect(shown.job).toMatchObject({ error_message: 'the encoder stopped', ran_on: onCpu() })
  expect(shown.attempts).toMatchObject([{ error_message: 'the encoder stopped', ran_on: onCpu() }])
})

test('a worker that does not tell leaves nothing', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  await master.api.complete({ ...claim, output_size })
  expect((await master.api.job({ job_id: job.id })).job.ran_on).toBeNull()
  expect((await master.api.stats({})).paths).toEqual([])
})

test('a result that cannot be published leaves what it ran on with the failed attempt', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  expect(await master.api.complete({ ...claim, output_size: 1000, ran_on: ranOn() })).toMatchObject({
    status: 'failed',
  })
  const shown = await master.api.job({ job_id: job.id })
  expect(shown).toMatchObject({ job: { ran_on: ranOn() }, attempts: [{ step: 'publish', ran_on: ranOn() }] })
  expect((await master.api.stats({})).paths).toEqual([])
})

test('a master that ends the publication of another knows what it ran on', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  await master.store.beginPublish(claim, { ...result, output_size, ran_on: onCpu() })
  await master.coordinator.start()
  const shown = await master.api.job({ job_id: job.id })
  expect(shown).toMatchObject({ job: { status: 'completed', ran_on: onCpu() }, attempts: [{ ran_on: onCpu() }] })
  expect((await master.api.stats({})).paths).toMatchObject([{ encoder: 'libx264', jobs: 1, fell_back: 1 }])
})

test('what a running attempt runs on is shown with its progress', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const runs_on = { decode: 'cpu', filter: 'cpu', encoder: 'h264_nvenc', device: 'a GPU' } as const
  const progress = { step: 'encode', percent: 1, fps: null, speed: null, eta_seconds: null } as const
  await master.remote.reportProgress({ ...claim, progress })
  expect((await master.remote.job({ job_id: job.id })).job.progress).toEqual({ ...progress, runs_on: null })
  await master.remote.reportProgress({ ...claim, progress: { ...progress, runs_on } })
  expect((await master.remote.job({ job_id: job.id })).job.progress).toEqual({ ...progress, runs_on })
})

test('a worker is shown with its GPUs, and once it is offline without what was true at the moment only', async () => {
  const master = openMaster()
  const failing = { seconds_left: 120, failures: 3, reason: 'the driver hung' }
  const report = gpuReport({ gpus: [gpuState({ set_aside: failing })] })
  await master.remote.register({ worker_id: 'w', boot_id: 'b', gpu_usage: 87.5, gpu_report: report })
  expect((await master.remote.workers({})).workers).toMatchObject([
    { id: 'w', active: true, gpu_usage: 87.5, gpu_report: report },
  ])
  master.clock.now += 120_000
  const unknown = { usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }
  const atRest = gpuState({ ...unknown, active_jobs: 0, set_aside: null })
  expect((await master.remote.workers({})).workers).toMatchObject([
    { id: 'w', active: false, gpu_usage: null, gpu_report: { ...report, gpus: [atRest] } },
  ])
  await master.remote.heartbeat({ worker_id: 'w' })
  expect((await master.remote.workers({})).workers).toMatchObject([{ active: true, gpu_usage: null, gpu_report: null }])
})
