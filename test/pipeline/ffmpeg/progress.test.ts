import { expect, test } from 'bun:test'
import { jobProgress, progressReader } from '../../../src/pipeline/ffmpeg/progress.ts'

const block = `frame=75
fps=48.20
stream_0_0_q=28.0
bitrate= 512.3kbits/s
total_size=196608
out_time_us=3000000
out_time_ms=3000000
out_time=00:00:03.000000
dup_frames=0
drop_frames=0
speed=1.93x
progress=continue`

function readAll(text: string) {
  const read = progressReader()
  return text.split('\n').flatMap((line) => read(line) ?? [])
}

test('a block is given at the line that ends it', () => {
  const first = {
    frame: 75,
    fps: 48.2,
    speed: 1.93,
    out_time_seconds: 3,
    size_bytes: 196_608,
    dup_frames: 0,
    drop_frames: 0,
    is_done: false,
  }
  expect(readAll(`${block}\n${block.replace('continue', 'end')}\nframe=1`)).toEqual([
    first,
    { ...first, is_done: true },
  ])
})

test('what ffmpeg does not know yet is null', () => {
  const early = 'fps=0.00\ntotal_size=N/A\nout_time_us=N/A\nout_time_ms=N/A\nspeed=N/A\nprogress=continue'
  expect(readAll(early)).toMatchObject([
    { frame: null, fps: null, speed: null, out_time_seconds: null, size_bytes: null },
  ])
  expect(readAll('out_time_us=-9223372036854775808\nprogress=continue')).toMatchObject([{ out_time_seconds: null }])
})

test('lines that are no pair are passed over', () => {
  expect(readAll('hello\n\nframe=3\nprogress=end')).toMatchObject([{ frame: 3, is_done: true }])
})

const onCpu = { decode: 'cpu', filter: 'cpu', encoder: 'libx264', device: null } as const

test('the share and the time left follow from the duration and the speed', () => {
  const [progress] = readAll(block)
  if (!progress) throw new Error('no block')
  const expected = {
    step: 'encode',
    percent: 50,
    fps: 48.2,
    speed: 1.93,
    eta_seconds: 3 / 1.93,
    runs_on: onCpu,
  } as const
  expect(jobProgress(progress, 6, onCpu)).toEqual(expected)
  expect(jobProgress(progress, null, onCpu)).toMatchObject({ percent: null, eta_seconds: null, fps: 48.2 })
  expect(jobProgress({ ...progress, speed: null }, 6, onCpu)).toMatchObject({ percent: 50, eta_seconds: null })
})

test('sound that goes on after the picture is no more than all of it', () => {
  const [progress] = readAll(block)
  if (!progress) throw new Error('no block')
  expect(jobProgress(progress, 2, onCpu)).toMatchObject({ percent: 100, eta_seconds: 0 })
})
