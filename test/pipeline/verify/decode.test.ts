import { describe, expect, test } from 'bun:test'
import { inputLimits } from '../../../src/pipeline/ffmpeg/input-limits.ts'
import { closestDecoder } from '../../../src/pipeline/verify/closest-decoder.ts'
import { decodeProblems } from '../../../src/pipeline/verify/decode-problems.ts'
import { type CheckRun, decodeArgs } from '../../../src/pipeline/verify/decode.ts'
import { type DecodedStream, parseDecodedStream } from '../../../src/pipeline/verify/decoded-stream.ts'
import { wholeFilm } from '../../../src/pipeline/verify/sample-places.ts'
import { audio, media, video } from '../samples.ts'

describe('the command', () => {
  const strict = ['-threads', '2', '-err_detect', 'crccheck+bitstream+buffer+explode', ...inputLimits]
  const clock = ['-fps_mode:v', 'passthrough', '-enc_time_base:v', '1:1000000']
  const rest = ['-i', 'file:/x', '-map', '0:V', '-map', '0:a?', ...clock, '-f', 'null', '-']

  test('decodes all of it', () => {
    expect(decodeArgs('/x', wholeFilm, null)).toEqual([...strict, ...rest])
  })

  test('decodes a place by a decoder', () => {
    expect(decodeArgs('/x', { start: 90.5, seconds: 3 }, 'libvpx-vp9')).toEqual(
      [strict, ['-c:v:0', 'libvpx-vp9', '-ss', '90.5', '-t', '3'], rest].flat(),
    )
  })
})

test.each([
  '[verbose]   Input stream #0:1 (audio): 217 packets read (80000 bytes); 216 frames decoded (221184 samples); ',
  '[in#0/mov,mp4 @ 0x55] [verbose]   Input stream #0:1 (audio): 217 packets read (80000 bytes); 216 frames decoded; 0 decode errors (221184 samples); ',
])('what was decoded is read from %s', (line) => {
  const told = { input: 0, index: 1, kind: 'audio', packets: 217, frames: 216, samples: 221_184 } as const
  expect(parseDecodedStream(line)).toEqual(told)
})

test('of a picture there are no samples, and other lines tell nothing', () => {
  const line = '[verbose]   Input stream #1:0 (video): 92 packets read (236972 bytes); 89 frames decoded; '
  expect(parseDecodedStream(line)).toMatchObject({ input: 1, packets: 92, frames: 89, samples: null })
  expect(parseDecodedStream('[verbose]   Output stream #0:0 (video): 50 frames encoded; ')).toBeUndefined()
  expect(parseDecodedStream('[verbose]   Input stream #0:2 (data): 0 packets read (0 bytes); ')).toBeUndefined()
})

describe('of what was decoded', () => {
  const result = media([video({ frame_count: 1500 }), audio()])
  const picture: DecodedStream = { input: 0, index: 0, kind: 'video', packets: 1500, frames: 1500, samples: null }
  const sound: DecodedStream = { input: 0, index: 1, kind: 'audio', packets: 2813, frames: 2812, samples: 2_880_000 }
  const good: CheckRun = { frames: 1500, streams: [picture, sound], error_lines: [], stderr_tail: '' }
  const problems = (changes: Partial<CheckRun>, copied: string[] = []) =>
    decodeProblems({ ...good, ...changes }, wholeFilm, result, copied).map(({ message, is_in_source }) => [
      is_in_source ? 'source' : 'ours',
      message,
    ])

  test('all is well when all came out', () => {
    expect(problems({})).toEqual([])
  })

  test('an error refuses it', () => {
    const error_lines = ['[h264 @ 0x55d0] [error] cabac decode of qscale diff failed at 4 15']
    const message = 'the result cannot be decoded without errors (h264: cabac decode of qscale diff failed at 4 15)'
    expect(problems({ error_lines })).toEqual([['ours', message]])
  })

  test('an error in sound that was copied is one of the source', () => {
    const error_lines = ['[ac3 @ 0x55d0] [error] frame CRC mismatch', '[mp3float @ 0x55d0] [error] Header missing']
    const message = 'damaged: a sound track that was copied has errors (ac3: frame CRC mismatch)'
    expect(problems({ error_lines }, ['ac3', 'mp3'])).toEqual([['source', message]])
    expect(problems({ error_lines }, ['ac3'])).toMatchObject([['ours', expect.any(String)]])
  })

  test('frames that do not come out are missed', () => {
    expect(problems({ streams: [{ ...picture, frames: 1490 }, sound] })).toEqual([
      ['ours', "only 1490 of the result's 1500 frames could be decoded"],
    ])
  })

  test('sound that does not come out is missed, but not where it was copied with its holes', () => {
    const streams = [picture, { ...sound, samples: 2_400_000 }]
    expect(problems({ streams })).toEqual([['ours', "only 50.0 of 60.0 s of the result's sound could be decoded"]])
    expect(problems({ streams }, ['aac'])).toEqual([])
  })

  test('a place must have the frames of its seconds', () => {
    const place = { start: 30, seconds: 3 }
    const of = (frames: number) => decodeProblems({ ...good, frames }, place, result, []).map(({ message }) => message)
    expect(of(75)).toEqual([])
    expect(of(40)).toEqual(["only 40 of the result's 75 frames from second 30 could be decoded"])
  })
})

test("the codec's own library is chosen where ffmpeg has it and its choice is another", () => {
  const all = new Set(['libaom-av1', 'libvpx-vp9', 'h264'])
  expect(closestDecoder('av1', all)).toBe('libaom-av1')
  expect(closestDecoder('vp9', all)).toBe('libvpx-vp9')
  expect(closestDecoder('h264', all)).toBeNull()
  expect(closestDecoder('av1', new Set())).toBeNull()
})
