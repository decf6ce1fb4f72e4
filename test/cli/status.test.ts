import { expect, test } from 'bun:test'
import { statusText } from '../../src/cli/status.ts'
import { gpuReport, gpuState } from '../queue/gpu-samples.ts'
import { path, statsReport, workersReply, workerView } from './report-samples.ts'

test("the contract's picture, figure for figure", () => {
  const stats = statsReport({
    jobs: {
      total: 45_230,
      completed: 12_450,
      processing: 8,
      pending: 32_772,
      failed: 0,
      cancelled: 0,
      skipped: 0,
      awaiting_retry: 0,
    },
    eta_seconds: 42 * 86_400,
    files_per_hour: 2.5,
    measured_jobs: 100,
    workers: { active: 3, total: 3, vulkan: 3, active_jobs: 7 },
  })
  const workers = [
    workerView({ id: 'worker-1', active_jobs: 2, gpu_usage: 87 }),
    workerView({ id: 'worker-2', active_jobs: 3, gpu_usage: 92.4 }),
    workerView({ id: 'worker-3', active_jobs: 2, gpu_usage: 78 }),
  ]
  expect(statusText(stats, workersReply(workers))).toBe(`📊 Conversion Progress
├─ Total Files: 45,230
├─ Completed: 12,450 (27.5%)
├─ Processing: 8 (3 GPU workers)
├─ Pending: 32,772 (72.5%)
└─ Failed: 0

⏱️  Estimated Time Remaining: 42 days
🖥️  Active Workers: 3
├─ worker-1: 2 jobs (GPU: 87%)
├─ worker-2: 3 jobs (GPU: 92%)
└─ worker-3: 2 jobs (GPU: 78%)

📈 Throughput: 2.5 files/hour (avg)
`)
})

test('what was skipped or cancelled is told only where there is some', () => {
  const jobs = { total: 8, completed: 4, processing: 0, pending: 0, failed: 1, awaiting_retry: 0 }
  const text = statusText(statsReport({ jobs: { ...jobs, skipped: 2, cancelled: 1 } }), workersReply([]))
  expect(text).toContain('├─ Pending: 0 (0.0%)\n├─ Skipped: 2 (25.0%)\n├─ Cancelled: 1\n└─ Failed: 1\n')
  expect(statusText(statsReport(), workersReply([]))).not.toMatch(/Skipped|Cancelled/)
})

const lastLine = (...paths: ReturnType<typeof path>[]) =>
  statusText(statsReport({ paths }), workersReply([])).split('(avg)\n')[1] ?? ''
const linesOf = (...workers: ReturnType<typeof workerView>[]) =>
  statusText(statsReport(), workersReply(workers)).split('Active Workers: ')[1]?.split('\n').slice(1, -3)

test('a worker shows the use of its busiest GPU with its engines, or of its CPU where no GPU tells', () => {
  const busy = gpuState({ usage: 90, encoder_usage: 40.4, decoder_usage: null })
  const idle = gpuState({ id: 'vulkan:1', usage: 3, encoder_usage: 99 })
  const silent = gpuState({ id: 'vulkan:2', usage: null, encoder_usage: null, decoder_usage: null })
  expect(
    linesOf(
      workerView({ id: 'all', gpu_usage: 87.5, gpu_report: gpuReport() }),
      workerView({ id: 'several', gpu_usage: 90, gpu_report: gpuReport({ gpus: [idle, busy, silent] }) }),
      workerView({ id: 'idle', gpu_usage: 0, gpu_report: gpuReport({ gpus: [] }) }),
      workerView({ id: 'silent', cpu_usage: 12, gpu_report: gpuReport({ gpus: [silent] }) }),
      workerView({ id: 'foreign', cpu_usage: 99.6 }),
    ),
  ).toEqual([
    '├─ all: 0 jobs (GPU: 88%, encoder 40%, decoder 12%)',
    '├─ several: 0 jobs (GPU: 90%, encoder 40%)',
    '├─ idle: 0 jobs (GPU: 0%)',
    '├─ silent: 0 jobs (CPU: 12%)',
    '└─ foreign: 0 jobs (CPU: 100%)',
  ])
})

test('below a worker stands which of its GPUs is set aside, and why it uses none', () => {
  const set_aside = { seconds_left: 120, failures: 3, reason: 'the driver hung\n\u001b[2J' }
  expect(
    linesOf(
      workerView({ id: 'a', gpu_report: gpuReport({ gpus: [gpuState({ set_aside })] }) }),
      workerView({ id: 'b', gpu_report: gpuReport({ gpus: [], problem: 'no driver that loads' }) }),
      workerView({ id: 'c', gpu_report: gpuReport({ mode: 'off', gpus: [], problem: 'ffmpeg.gpu is off' }) }),
      workerView({ id: 'd', gpu_report: gpuReport({ gpus: [], problem: 'no Vulkan loader', has_gpu: false }) }),
    ),
  ).toEqual([
    '├─ a: 0 jobs (CPU: 0%)',
    '│  └─ GPU a GPU set aside for 2 minutes after 3 failures: the driver hung\\n\\u001b[2J',
    '├─ b: 0 jobs (CPU: 0%)',
    '│  └─ no GPU is used: no driver that loads',
    '├─ c: 0 jobs (CPU: 0%)',
    '└─ d: 0 jobs (CPU: 0%)',
  ])
})

test('below a worker stands why it takes no jobs', () => {
  expect(linesOf(workerView({ id: 'a', obstacle: 'less than storage.min_free is free' }))).toEqual([
    '└─ a: 0 jobs (CPU: 0%)',
    '   └─ takes no jobs: less than storage.min_free is free',
  ])
})

test('below a worker stands why it is given no jobs', () => {
  const set_aside = { seconds_left: 3600, failures: 12, reason: 'its disk\ris full' }
  const gpus = [gpuState({ set_aside: { seconds_left: 120, failures: 3, reason: 'it hung' } })]
  expect(linesOf(workerView({ id: 'a', set_aside, gpu_report: gpuReport({ gpus }) }))).toEqual([
    '└─ a: 0 jobs (CPU: 0%)',
    '   ├─ set aside for 60 minutes after 12 failures in a row: its disk\\ris full',
    '   └─ GPU a GPU set aside for 2 minutes after 3 failures: it hung',
  ])
})

test('fallbacks are counted, with the newest reason of the path that took over most', () => {
  const cpu = path({ encoder: 'libx264', decode: 'cpu', filter: 'cpu', device: null, jobs: 20 })
  expect(lastLine()).toBe('')
  expect(lastLine(path(), { ...cpu, last_reason: 'no GPU' })).toBe('')
  expect(lastLine(path(), { ...cpu, fell_back: 1, last_reason: 'it\rhung' })).toBe(
    `
⚠️  1 conversion fell back from a GPU; the last: it\\rhung
`,
  )
  expect(lastLine(path({ fell_back: 2 }), { ...cpu, fell_back: 1200, last_reason: 'it hung' })).toBe(`
⚠️  1,202 conversions fell back from a GPU; the last to libx264 on the CPU: it hung
`)
})
