import { expect, test } from 'bun:test'
import { jobText, listText } from '../../src/cli/jobs.ts'
import type { Attempt, JobView } from '../../src/contract/job.ts'
import { onCpu, ranOn } from '../queue/gpu-samples.ts'

const runs_on = { decode: 'vulkan', filter: 'vulkan', encoder: 'h264_vulkan', device: 'a GPU' } as const

function job(changes: Partial<JobView> = {}): JobView {
  return {
    id: '1f6f',
    source_path: '/in/a.mkv',
    output_path: '/out/a.mp4',
    status: 'processing',
    worker_id: 'worker-1',
    started_at: '2026-03-01T11:00:00.000Z',
    completed_at: null,
    error_message: null,
    retry_count: 1,
    max_retries: 3,
    created_at: '2026-03-01T10:00:00.000Z',
    source_duration: 600,
    output_size: null,
    attempt: 2,
    priority: 5,
    source_size: 1000,
    source_mtime_ms: 1,
    error_class: null,
    retry_at_ms: null,
    notes: [],
    ran_on: null,
    skip_reason: null,
    profile: null,
    source_facts: null,
    score: null,
    progress: { step: 'encode', percent: 42.5, fps: 240, speed: 8, eta_seconds: 3, runs_on },
    ...changes,
  }
}

function attempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    job_id: '1f6f',
    attempt: 1,
    worker_id: 'worker-2',
    started_at: '2026-03-01T10:10:00.000Z',
    ended_at: '2026-03-01T10:11:00.000Z',
    outcome: 'failed',
    error_message: 'the encoder stopped',
    error_class: 'retryable',
    step: 'encode',
    command: ['ffmpeg', '-i', 'a film.mkv'],
    stderr_tail: 'boom\n',
    exit_code: 1,
    ran_on: null,
    ...changes,
  }
}

const toldOf = (source_facts: JobView['source_facts'], score: JobView['score'] = null) =>
  below(jobText({ replacement: null, job: job({ progress: null, source_facts, score }), attempts: [] }))
const below = (text: string) => text.split('source_mtime_ms  1\n')[1]

test('a running job tells what it runs on, and each ended attempt what it ran on and why', () => {
  const reasons = ['h264_vulkan failed:\nout of memory', 'AV1 is not proved']
  const text = jobText({ replacement: null, job: job(), attempts: [attempt({ ran_on: onCpu({ reasons }) })] })
  expect(below(text)).toBe(
    String.raw`progress: encode 42% on worker-1, 240 fps, speed 8x, by h264_vulkan on a GPU, decoded and scaled there

attempt 1 on worker-2: failed, 2026-03-01T10:10:00.000Z to 2026-03-01T10:11:00.000Z
  the encoder stopped
  step encode, retryable, exit code 1
  ran on: libx264 on the CPU, after a GPU failed
    - h264_vulkan failed:\nout of memory
    - AV1 is not proved
  command: ffmpeg -i 'a film.mkv'
  | boom
`,
  )
})

test('a completed job tells what it ran on, and its table of fields does not repeat it', () => {
  const text = jobText({
    replacement: null,
    job: job({ status: 'completed', progress: null, ran_on: ranOn() }),
    attempts: [],
  })
  expect(below(text)).toBe('ran on: h264_vulkan on a GPU, decoded and scaled there\n')
  expect(text).not.toMatch(/^ran_on/m)
})

test('a skipped job tells why, by which profile, and what its source is', () => {
  const facts = { codec: 'hevc', width: 3840, height: 2160, is_hdr: true, bit_rate: 15_340_000, duration_seconds: 7260 }
  const skipped = job({
    status: 'skipped',
    progress: null,
    skip_reason: 'the result would have 104% of\nthe size of the source',
    profile: 'films',
    source_facts: { ...facts, format: 'matroska' },
  })
  const text = jobText({
    replacement: null,
    job: skipped,
    attempts: [attempt({ outcome: 'skipped', error_message: 'too large', step: null, command: [], stderr_tail: '' })],
  })
  expect(text).toContain(String.raw`skip_reason      the result would have 104% of\nthe size of the source`)
  expect(text).toContain('profile          films\n')
  expect(text).not.toMatch(/^source_facts|^score/m)
  expect(text.split('films\n')[1]).toBe(`source: hevc 3840x2160 HDR, 15.3 Mb/s, 2 hours, matroska

attempt 1 on worker-2: skipped, 2026-03-01T10:10:00.000Z to 2026-03-01T10:11:00.000Z
  too large
`)
  expect(listText({ jobs: [skipped], count: 1, next: null }).split('\n')[1]).toBe(
    String.raw`1f6f  skipped  5     the result would have 104% of\nthe size of the source  /in/a.mkv`,
  )
})

test('what is not known of a source is left out, and a score is told as it was measured', () => {
  const facts = { codec: 'h264', width: 320, height: 180, is_hdr: false, bit_rate: null, duration_seconds: null }
  expect(toldOf({ ...facts, format: 'h264' })).toBe('source: h264 320x180, h264\n')
  expect(toldOf({ ...facts, bit_rate: 64_400, duration_seconds: 2, format: 'mov' })).toBe(
    'source: h264 320x180, 64 kb/s, 2 s, mov\n',
  )
  expect(toldOf(null, { metric: 'vmaf', value: 94.25 })).toBe('score: vmaf 94.25\n')
})

test('where nothing is known nothing is said of what it ran on', () => {
  const progress = { step: 'probe', percent: null, fps: null, speed: null, eta_seconds: null, runs_on: null } as const
  expect(
    below(jobText({ replacement: null, job: job({ progress }), attempts: [attempt({ outcome: 'lost' })] })),
  ).not.toContain('ran on')
})

test('in the list a running job has its progress and no more', () => {
  expect(listText({ jobs: [job()], count: 1, next: null })).toBe(`id    status      prio  remark                  source
1f6f  processing  5     encode 42% on worker-1  /in/a.mkv
`)
})
