import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode, type EncodeRequest } from '../../../src/pipeline/encode/encode.ts'
import { caught } from '../samples.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-ffmpeg-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const outputPath = join(folder, 'out')

/** Runs a shell script in ffmpeg's place: how it ends is what these tests are about. */
function run(script: string, changes: Partial<EncodeRequest> = {}) {
  return encode({
    command: ['sh', '-c', script],
    output_path: outputPath,
    environment: process.env,
    timeout_ms: 60_000,
    stall_timeout_ms: 60_000,
    duration_seconds: 10,
    on_progress: () => {},
    signal: new AbortController().signal,
    ...changes,
  })
}

test('every report is handed on, and the last one given back', async () => {
  const frames: (number | null)[] = []
  const script = 'printf "frame=1\\nprogress=continue\\nframe=2\\nprogress=end\\n"'
  const last = await run(script, { on_progress: (progress) => frames.push(progress.frame) })
  expect(frames).toEqual([1, 2])
  expect(last).toMatchObject({ frame: 2, is_done: true })
})

test('an encode without any sign of life is killed, and may be tried again', async () => {
  const error = await caught(run('echo frame=1; echo progress=continue; exec sleep 1000', { stall_timeout_ms: 40 }))
  expect(error).toMatchObject({
    message: 'ffmpeg made no progress for 40 ms',
    report: { class: 'retryable', step: 'encode', exit_code: null },
  })
})

test('reports in which only the speed changes are no sign of life', async () => {
  const script = 'i=9; while :; do echo frame=7; echo speed=$i; echo progress=continue; i=$((i+1)); sleep 0.01; done'
  const error = await caught(run(script, { stall_timeout_ms: 40 }))
  expect(error).toHaveProperty('message', 'ffmpeg made no progress for 40 ms')
})

test('a file that grows is a sign of life, though no progress is told', async () => {
  const script = `i=0; while [ $i -lt 60 ]; do echo more >> '${outputPath}'; sleep 0.01; i=$((i+1)); done`
  expect(await run(script, { stall_timeout_ms: 400 })).toBeUndefined()
})

test('an encode over its time is killed, and may be tried again', async () => {
  const error = await caught(run('exec sleep 1000', { timeout_ms: 20 }))
  expect(error).toMatchObject({ message: 'the encode took longer than 20 ms', report: { class: 'retryable' } })
})

test('a failure keeps the command, the exit code and the end of standard error', async () => {
  const script = 'echo "[fatal] Unknown encoder \'libx\'" >&2; exit 8'
  expect(await caught(run(script))).toMatchObject({
    message: 'the encoder libx is not in this ffmpeg',
    report: {
      class: 'worker',
      step: 'encode',
      command: ['sh', '-c', script],
      exit_code: 8,
      stderr_tail: "[fatal] Unknown encoder 'libx'\n",
    },
  })
})

test('what is damaged is not encoded to its end', async () => {
  const report = 'echo out_time_us=5000000; echo progress=continue'
  const script = `${report}; echo '[h264 @ 0x1] [error] no frame!' >&2; while :; do ${report}; sleep 0.01; done`
  expect(await caught(run(script))).toMatchObject({ report: { class: 'permanent' } })
})

test('an abort throws its own reason', async () => {
  const controller = new AbortController()
  const reason = new Error('cancelled')
  const options = { signal: controller.signal, on_progress: () => controller.abort(reason) }
  expect(await caught(run('echo progress=continue; exec sleep 1000', options))).toBe(reason)
})

test('an ffmpeg that is not there is the fault of this worker', async () => {
  const error = await caught(run('', { command: ['/nonexistent/ffmpeg', '-i', 'x'] }))
  expect(error).toMatchObject({
    message: 'there is no program /nonexistent/ffmpeg',
    report: { class: 'worker', step: 'encode', command: ['/nonexistent/ffmpeg', '-i', 'x'] },
  })
})

test.if(existsSync('/dev/full'))('a full disk is told as such', async () => {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:duration=1', '-c:v', 'rawvideo']
  const command = [
    'ffmpeg',
    '-nostdin',
    '-loglevel',
    'level+warning',
    '-y',
    ...source,
    '-f',
    'matroska',
    'file:/dev/full',
  ]
  expect(await caught(run('', { command }))).toMatchObject({
    message: 'the disk is full',
    report: { class: 'retryable', step: 'encode' },
  })
})
