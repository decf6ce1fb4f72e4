import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convert } from '../../../src/pipeline/convert.ts'
import { leadingErrors } from '../../../src/pipeline/encode/leading-errors.ts'
import { findTools } from '../../../src/pipeline/tools.ts'
import { conversionIn } from '../../support/conversion.ts'
import { testFfmpegs } from '../../support/ffmpegs.ts'
import { caught, settings } from '../samples.ts'

setDefaultTimeout(120_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-leading-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()
const packet = 188
let count = 0

const missing = '[h264 @ 0x55d0] [error] non-existing PPS 0 referenced'
const noFrame = '[h264 @ 0x55d0] [error] no frame!'

describe('errors are those of a beginning', () => {
  test('as long as there is no header, and for what leans on what was before it', () => {
    const errors = leadingErrors()
    for (const line of [missing, '[h264 @ 0x55d0] [error] decode_slice_header error', noFrame, missing, noFrame]) {
      expect(errors.excuses(line, 0)).toBe(true)
    }
    expect(errors.excuses('[h264 @ 0x55d0] [error] mmco: unref short failure', 1)).toBe(true)
    expect(errors.lost()).toBe(2)
  })

  test('not without a missing header in front', () => {
    expect(leadingErrors().excuses(noFrame, 0)).toBe(false)
    const errors = leadingErrors()
    expect(errors.excuses('[h264 @ 0x55d0] [error] mmco: unref short failure', 0)).toBe(false)
    expect(errors.excuses(missing, 0)).toBe(false)
  })

  test('not after any other error, nor once pictures were written', () => {
    const errors = leadingErrors()
    expect(errors.excuses(missing, 0)).toBe(true)
    expect(errors.excuses('[h264 @ 0x55d0] [error] error while decoding MB 3 4, bytestream -5', 0)).toBe(false)
    expect(errors.excuses(missing, 0)).toBe(false)
    const late = leadingErrors()
    expect(late.excuses(missing, 0)).toBe(true)
    expect(late.excuses(missing, 2)).toBe(false)
  })

  test('not those of sound or of the container', () => {
    for (const line of [
      '[mpegts @ 0x55d0] [warning] Packet corrupt (stream = 0, dts = 302400).',
      '[ac3 @ 0x55d0] [error] frame CRC mismatch',
    ]) {
      expect(leadingErrors().excuses(line, 0)).toBe(false)
    }
  })
})

const codecs = [
  ['h264', ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '50']],
  ['mpeg2', ['-c:v', 'mpeg2video', '-g', '15', '-bf', '2', '-b:v', '900k']],
  ['hevc', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=50']],
] as const

async function converted(ffmpeg_path: string, content: Uint8Array) {
  const name = join(folder, `${++count}`)
  const source_path = `${name}.ts`
  writeFileSync(source_path, content)
  const tools = await findTools({ ffmpeg_path, environment: process.env, signal })
  const asked = settings({ preset: 'ultrafast', bitrate: 400_000 })
  return convert(conversionIn(name, { source_path, settings: asked, tools }))
}

describe.each(testFfmpegs)('with %s', (_name, ffmpeg_path) => {
  describe.each(codecs)('a recording of %s', (codec, options) => {
    let bytes = Buffer.alloc(0)
    beforeAll(async () => {
      const path = join(folder, `${codec}.ts`)
      const inputs = ['testsrc2=size=320x180:rate=25:duration=8', 'sine=duration=8'].flatMap((source) => [
        '-f',
        'lavfi',
        '-i',
        source,
      ])
      const child = Bun.spawn(['ffmpeg', '-v', 'error', '-nostdin', '-y', ...inputs, ...options, '-c:a', 'mp2', path])
      expect(await child.exited).toBe(0)
      bytes = readFileSync(path)
    })
    const packets = () => Math.floor(bytes.length / packet)

    test('that begins between two key frames is converted, and the job says so', async () => {
      const { notes } = await converted(ffmpeg_path, bytes.subarray(Math.floor(packets() * 0.17) * packet))
      expect(notes.at(-1)).toMatch(
        /^it begins in the middle of a scene: its first (\d+ pictures|picture) could not be decoded$/,
      )
    })

    test('that begins so and is damaged in the middle is refused', async () => {
      const harmed = Buffer.from(bytes.subarray(Math.floor(packets() * 0.17) * packet))
      const middle = Math.floor(harmed.length / packet / 2)
      for (let each = middle; each < middle + 40; each += 2) harmed.fill(0x5a, each * packet + 12, (each + 1) * packet)
      expect(await caught(converted(ffmpeg_path, harmed))).toMatchObject({ report: { class: 'permanent' } })
    })
  })
})
