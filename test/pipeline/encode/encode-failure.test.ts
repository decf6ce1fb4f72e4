import { describe, expect, test } from 'bun:test'
import { encodeFailure, type EndedEncode } from '../../../src/pipeline/encode/encode-failure.ts'

function failureOf(changes: Partial<Omit<EndedEncode, 'result'>> & { result?: Partial<EndedEncode['result']> }) {
  const result = {
    exit_code: 1,
    signal: null,
    killed_for: null,
    stderr_tail: '',
    stdout: '',
    cpu_ms: null,
    ...changes.result,
  }
  const times = { position_seconds: null, error_seconds: null, duration_seconds: null }
  return encodeFailure({
    error_lines: [],
    ...times,
    timeout_ms: 7_200_000,
    stall_timeout_ms: 120_000,
    ...changes,
    result,
  })
}

test('exit code 0 without an error is success', () => {
  expect(failureOf({ result: { exit_code: 0 } })).toBeUndefined()
})

test('exit code 0 with an error is damage, with the place and the reason', () => {
  const error_lines = ['[h264 @ 0x55d0] [error] cabac decode of qscale diff failed at 4 15']
  expect(failureOf({ result: { exit_code: 0 }, error_lines, error_seconds: 751 })).toMatchObject({
    class: 'permanent',
    message: 'damaged: decoding failed near 12:31 (h264: cabac decode of qscale diff failed at 4 15)',
  })
})

test('a file that ends too early says where', () => {
  const error_lines = ['[matroska,webm @ 0x55d0] [error] File ended prematurely']
  const ended = { result: { exit_code: 0 }, error_lines, position_seconds: 1.7, duration_seconds: 3 }
  expect(failureOf(ended)).toMatchObject({ class: 'permanent', message: 'truncated: ends at 0:01 of 0:03' })
})

function kindOf(line: string) {
  return failureOf({ error_lines: [line] })?.kind
}

test('what another encoder would meet as well is told apart: the storage', () => {
  expect(kindOf('[error] av_interleaved_write_frame(): No space left on device')).toBe('storage')
  expect(kindOf('[error] file:/in: Input/output error')).toBe('storage')
  expect(kindOf('[h264_vulkan @ 0x55d0] [error] Device lost')).toBe('other')
})

test.each([
  '[error] file:/nonexistent/a.mp4: No such file or directory',
  '[in#0 @ 0x1] [error] Error opening input: No such file or directory',
  '[fatal] Error opening output files: No such file or directory',
])('a storage that goes away is no damage of the source: %s', (line) => {
  expect(failureOf({ error_lines: [line] })).toMatchObject({ class: 'retryable', kind: 'storage' })
})

test.each([
  '[AVHWDeviceContext @ 0x1] [error] Instance creation failure: VK_ERROR_INCOMPATIBLE_DRIVER',
  '[Vulkan @ 0x1] [error] Unable to submit command buffer: VK_ERROR_DEVICE_LOST',
  '[AVHWFramesContext @ 0x1] [error] Unable to allocate memory: VK_ERROR_OUT_OF_DEVICE_MEMORY',
  '[Parsed_scale_vulkan_0 @ 0x1] [error] Unsupported input format for conversion',
  '[Parsed_hwupload_1 @ 0x1] [error] Failed to configure output pad',
  '[vf#0:0 @ 0x1] [error] Error sending frames to consumers: Function not implemented',
  "[error] Failed to set value 'vulkan=gpu:7' for option 'init_hw_device': No such device",
  '[error] Device creation failed: -542398533.',
  '[AVHWDeviceContext @ 0x1] [error] Cannot open /dev/dri/renderD128: No such file or directory',
])('a GPU that cannot be used is no damage of the source: %s', (line) => {
  expect(failureOf({ error_lines: [line] })).toMatchObject({ class: 'worker', kind: 'other' })
})

describe("what is not the source's fault", () => {
  test.each([
    ['[error] av_interleaved_write_frame(): No space left on device', 'retryable', 'the disk is full'],
    ['[error] file:/in: Input/output error', 'retryable', 'the storage reports an error'],
    ["[fatal] Unknown encoder 'libsvtav1'", 'worker', 'the encoder libsvtav1 is not in this ffmpeg'],
    ['[error] Decoder (codec vvc) not found for input stream #0:0', 'worker', 'this ffmpeg cannot decode vvc'],
    ["[error] No such filter: 'bwdif'", 'worker', 'the filter bwdif is not in this ffmpeg'],
    [
      '[vost#0:0/libx264 @ 0x55d0] [fatal] Invalid time base: -1',
      'worker',
      'this ffmpeg could not encode it (vost#0:0/libx264: Invalid time base: -1)',
    ],
    [
      '[h264_vulkan @ 0x55d0] [error] Device does not support the VK_KHR_video_encode_queue extension!',
      'worker',
      'this ffmpeg could not encode it (h264_vulkan: Device does not support the VK_KHR_video_encode_queue extension!)',
    ],
    ["[fatal] Unrecognized option 'fps_mode'.", 'worker', 'this ffmpeg does not know the option fps_mode'],
  ] as const)('%s', (line, failureClass, message) => {
    expect(failureOf({ error_lines: [line] })).toMatchObject({ class: failureClass, message })
  })

  test('a stall, a time limit, and a signal are tried again', () => {
    expect(failureOf({ result: { killed_for: 'stall' } })).toEqual({
      class: 'retryable',
      kind: 'stall',
      message: 'ffmpeg made no progress for 2 minutes',
    })
    expect(failureOf({ result: { killed_for: 'timeout' } })?.message).toBe('the encode took longer than 2 hours')
    expect(failureOf({ result: { exit_code: null, signal: 'SIGKILL' } })).toEqual({
      class: 'retryable',
      kind: 'other',
      message: 'ffmpeg was killed by SIGKILL (is memory short?)',
    })
  })

  test('an exit without a word is tried again', () => {
    expect(failureOf({ result: { exit_code: 134 } })?.class).toBe('retryable')
  })
})
