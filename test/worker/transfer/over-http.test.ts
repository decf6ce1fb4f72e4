import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Api } from '../../../src/contract/api.ts'
import { DarkstreamError } from '../../../src/contract/error.ts'
import type { UploadPart } from '../../../src/contract/files.ts'
import { useClips } from '../../support/clips.ts'
import { openMaster } from '../../support/master.ts'
import { News } from '../../support/news.ts'
import { temporaryFolder } from '../../support/program.ts'
import { openWorker, workUntil } from '../open-worker.ts'
import { openFiles, serve } from './open-files.ts'

const clips = useClips()
/** The same part with another byte, which its CRC-32 does not tell. */
function damaged(part: UploadPart & { path: string }): UploadPart & { path: string } {
  const bytes = readFileSync(part.path)
  bytes[part.offset] = (bytes[part.offset] ?? 0) ^ 1
  const path = join(temporaryFolder(), 'damaged')
  writeFileSync(path, bytes)
  const sum = crc32(bytes.subarray(part.offset, part.offset + part.length))
  return { ...part, path, crc32: sum.toString(16).padStart(8, '0') }
}

const away = () => Promise.reject(new DarkstreamError('unreachable', 'away'))

/** A worker over HTTP with two films to convert, the first of them long enough to do something meanwhile. */
async function withTwo(prefetch: boolean) {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  for (const name of ['a.mp4', 'b.mp4'])
    await master.addSource(name, await Bun.file(await clips.path('long.mp4')).bytes())
  const news = new News()
  const sources: string[] = []
  const watched: typeof transfer = {
    ...transfer,
    async fetchSource(claim, ...rest) {
      sources.push(claim.job_id)
      news.beat()
      return transfer.fetchSource(claim, ...rest)
    },
  }
  const files = openFiles({ api, transfer: watched, work_base })
  return { master, ...openWorker(api, { work_base, files, concurrency: 1, prefetch }), sources, news }
}

test('a worker converts over HTTP what it cannot see, and the job tells that it came so', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('films/a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const files = openFiles({ api, transfer, work_base })
  const { worker, lines } = openWorker(api, { work_base, files })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', ran_on: { files: 'http' } })
  expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  expect(lines.filter((line) => /WARN|ERROR/.test(line))).toEqual([])
  expect(readdirSync(join(work_base, 'sources'))).toHaveLength(1)
  expect(readdirSync(join(work_base, 'results'))).toEqual([])
  expect(existsSync(join(master.output_base, '.darkstream', 'work', `${job_id}.1`))).toBe(false)
})

test('an empty source fails for good, in the words that it has on a mount', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('a.mp4', '')
  const { worker } = openWorker(api, { work_base, files: openFiles({ api, transfer, work_base }) })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'failed', error_class: 'permanent', error_message: 'the file is empty' })
})

test('while one encodes, the source of the next comes; a worker told to end gives that one back', async () => {
  const { master, worker, sources, news, lines } = await withTwo(true)
  const running = worker.run()
  await news.until(() => sources.length === 2)
  expect(lines.filter((line) => line.includes('converting'))).toHaveLength(1)
  expect(worker.activeJobs).toBe(2)
  worker.drain()
  await running
  const { jobs } = await master.api.jobs({})
  expect(jobs.map(({ status }) => status).toSorted()).toEqual(['completed', 'pending'])
  const waiting = jobs.find(({ status }) => status === 'pending')
  expect(waiting?.id).toBe(sources[1] ?? '')
  expect(waiting?.retry_count).toBe(0)
})

test('without prefetch a source comes only when the encode before it is over', async () => {
  const { master, worker, sources, news, lines } = await withTwo(false)
  const running = worker.run()
  await news.until(() => sources.length === 2)
  expect(lines.filter((line) => line.includes('converting')).length).toBeGreaterThan(0)
  worker.drain()
  await running
  const { jobs } = await master.api.jobs({})
  expect(jobs.map(({ status }) => status)).toEqual(['completed', 'completed'])
})

test('a result that could not be delivered is uploaded by the next start, without a second encode', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const first = openWorker(api, {
    work_base,
    drain_patience_ms: 0,
    files: openFiles({
      api,
      work_base,
      transfer: {
        ...transfer,
        uploaded() {
          first.worker.drain()
          return away()
        },
      },
    }),
  })
  await first.worker.run()
  expect(first.lines.at(-1)).toContain('the result waits in the outbox')
  const second = openWorker(api, { work_base, files: openFiles({ api, transfer, work_base }) })
  await workUntil(master, second.worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', attempt: 1 })
  expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  expect(second.lines.some((line) => line.includes('converting'))).toBe(false)
  expect(readdirSync(join(work_base, 'results'))).toEqual([])
})

test('a result that comes to the master as other bytes is uploaded again, without a second encode', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  let parts = 0
  const damaging: typeof transfer = {
    ...transfer,
    async sendPart(claim, part, signal) {
      return transfer.sendPart(claim, parts++ === 0 ? damaged(part) : part, signal)
    },
  }
  const { worker, lines } = openWorker(api, { work_base, files: openFiles({ api, transfer: damaging, work_base }) })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', attempt: 1 })
  expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  expect(lines.filter((line) => line.includes('another SHA-256'))).toHaveLength(1)
  expect(parts).toBeGreaterThan(1)
})

test('a job whose storage is not mounted at the master is given back, and converted when it is', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const [root, aside] = [master.root_path, `${master.root_path}.aside`]
  let marks = 0
  const unmounting: Api = {
    ...api,
    async sourceMark(input) {
      if (marks++ > 0) return api.sourceMark(input)
      renameSync(root, aside)
      return api.sourceMark(input).finally(() => renameSync(aside, root))
    },
  }
  const files = openFiles({ api: unmounting, transfer, work_base, mode: 'mount' })
  const { worker, lines } = openWorker(unmounting, { work_base, files })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', retry_count: 0, ran_on: { files: 'mount' } })
  expect(lines.some((line) => line.includes('is its storage mounted?'))).toBe(true)
})
