import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { headOf } from '../../src/cli/heads.ts'
import { readArgs } from '../../src/cli/usage.ts'
import { listText, run, workerText } from '../../src/cli/workers.ts'
import { figure, gpuReport, gpuState, unproved } from '../queue/gpu-samples.ts'
import { openMaster } from '../support/master.ts'
import { workerView } from './report-samples.ts'
import { capability } from '../support/capability.ts'

const main = join(import.meta.dir, '..', '..', 'src', 'main.ts')
const now_ms = Date.parse('2026-03-01T12:00:00.000Z')

test('the list shows the GPUs of each worker by name, with their use where they tell', () => {
  const gpus = [gpuState(), gpuState({ id: 'vulkan:1', name: 'b\tGPU', pci_address: '0000:02:00.0', usage: null })]
  const workers = [
    workerView({ id: 'a', gpu_name: 'a GPU', gpu_usage: 87.5, gpu_report: gpuReport({ gpus }) }),
    workerView({ id: 'b', gpu_name: 'a GPU', gpu_usage: 5, last_heartbeat: null, active: false, status: 'offline' }),
    workerView({ id: 'c', gpu_name: 'a GPU', gpu_report: gpuReport({ gpus: [] }) }),
    workerView({ id: 'd', gpu_report: gpuReport({ gpus: [], problem: 'no driver' }) }),
  ]
  expect(listText(workers, now_ms)).toBe(
    String.raw`id  status   jobs  cpu  memory  gpu                host    last heard
a   idle     0     0%   0%      a GPU 88%, b\tGPU  rack-1  5 s ago
b   offline  0     0%   0%      a GPU 5%           rack-1  it left
c   idle     0     0%   0%      a GPU              rack-1  5 s ago
d   idle     0     0%   0%      none               rack-1  5 s ago
`,
  )
  expect(listText([], now_ms)).toBe('no workers\n')
})

test('one worker shows of each GPU what it proved, how much it takes, how busy it is, and the measured paths', () => {
  const nvenc = gpuState({
    id: 'nvenc',
    name: 'b\nGPU',
    driver_version: '',
    pci_address: null,
    capabilities: [unproved('no encoder on this card')],
    decode_slots: 0,
    usage: null,
    encoder_usage: null,
    decoder_usage: null,
    memory_usage: null,
    slots: 1,
    active_jobs: 0,
    set_aside: { seconds_left: 120, failures: 3, reason: 'the driver hung' },
  })
  const gpu = gpuState({ capabilities: [capability(), capability({ operation: 'decode', by: 'vulkan' })] })
  const text = workerText(workerView({ gpu_report: gpuReport({ gpus: [gpu, nvenc], figures: [figure()] }) }), now_ms)
  expect(text.split('\n').slice(3).join('\n')).toBe(
    `ffmpeg.gpu: prefer

GPUs: 2
├─ a GPU (vulkan:0)
│  ├─ Driver: 580.159.04
│  ├─ PCI: 0000:01:00.0
│  ├─ Use: 88%, encoder 40%, decoder 12%, memory 3%
│  ├─ Conversions: 2 of 3 at a time
│  ├─ Decodes side by side: 4
│  ├─ Encoding: H.264 (proved: H.264 8 bit)
│  └─ Decoding: H.264 (proved: H.264 8 bit)
└─ b\\nGPU (nvenc)
   ├─ Conversions: 0 of 1 at a time
   ├─ GPU b\\nGPU set aside for 2 minutes after 3 failures: the driver hung
   └─ Encoding: none: no encoder on this card

Measured:
from and to              ran on                                          gpu       side by side  fps each  start  CPU ms/frame
H.265 8 bit uhd to h264  h264_vulkan on a GPU, decoded and scaled there  vulkan:0  1             240       0.9 s  0.84          best
`,
  )
})

test('a worker that uses no GPU says why, and a foreign one that it does not tell', () => {
  const report = gpuReport({ mode: 'require', gpus: [], figures: [], problem: 'no driver\rthat loads' })
  expect(workerText(workerView({ gpu_report: report }), now_ms)).toEndWith(
    String.raw`

ffmpeg.gpu: require
no GPU is used: no driver\rthat loads

GPUs: 0
`,
  )
  expect(workerText(workerView(), now_ms)).toEndWith('5 s ago\n\nit tells nothing of GPUs\n')
})

test('below the list stands which worker is set aside, and why', () => {
  const set_aside = { seconds_left: 120, failures: 5, reason: 'its disk\nis full' }
  const lines = listText([workerView({ id: 'a' }), workerView({ id: 'b', set_aside })], now_ms).split('\n')
  expect(lines.slice(3)).toEqual([
    '',
    String.raw`b is set aside for 2 minutes after 5 failures in a row: its disk\nis full`,
    '',
  ])
})

test('only one worker can be shown', async () => {
  const args = readArgs(headOf('workers'), ['a', 'b'])
  expect(await run(args).catch((error: unknown) => error)).toMatchObject({ message: 'unexpected argument "b"' })
})

test('resume acts on the ids after it, without any it is the worker that is called so, and else it needs ids', async () => {
  const { app, remote } = openMaster()
  using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch })
  const workers = async (...args: string[]) => {
    const argv = [process.execPath, main, 'workers', ...args, '--master-url', server.url.origin]
    const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe' })
    const [output, problems, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    return { output, problems, code }
  }
  expect(await workers('resume')).toMatchObject({
    code: 2,
    problems: expect.stringContaining('workers resume needs the id of a worker'),
  })
  await remote.register({ worker_id: 'resume', hostname: 'rack-7', boot_id: 'b' })
  expect(await workers('resume')).toMatchObject({ code: 0, output: expect.stringContaining('rack-7') })
  expect(await workers('resume', 'resume')).toEqual({
    code: 0,
    output: 'worker resume is not set aside\n',
    problems: '',
  })
  expect(await workers('resume', 'nobody')).toMatchObject({ code: 1, problems: expect.stringContaining('nobody') })
})
