import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Container } from '../../../src/contract/conversion.ts'
import { containerFault } from '../../../src/pipeline/verify/container-fault.ts'
import { testFfmpegs } from '../../support/ffmpegs.ts'

setDefaultTimeout(60_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-container-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()
const damaged = join(folder, 'damaged')

const kinds = [
  ['mp4', ['-c:v', 'libx264', '-c:a', 'aac', '-movflags', '+faststart']],
  ['mov', ['-c:v', 'prores_ks', '-c:a', 'aac', '-movflags', '+faststart', '-write_tmcd', '0']],
  ['mkv', ['-c:v', 'libx264', '-c:a', 'aac']],
  ['webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus']],
] as const satisfies [Container, string[]][]

function fault(bytes: Uint8Array, container: Container) {
  writeFileSync(damaged, bytes)
  return containerFault(damaged, container, signal)
}

describe.each(testFfmpegs)('what %s writes', (name, ffmpeg) => {
  describe.each(kinds)('as %s', (container, options) => {
    let bytes = Buffer.alloc(0)
    beforeAll(() => {
      const path = join(folder, `${name}.${container}`)
      const inputs = ['testsrc2=size=128x96:rate=25:duration=2', 'sine=duration=2'].flatMap((source) => [
        '-f',
        'lavfi',
        '-i',
        source,
      ])
      const muxer = container === 'mkv' ? 'matroska' : container
      const argv = [ffmpeg, '-v', 'error', '-nostdin', '-y', ...inputs, ...options, '-f', muxer, path]
      const made = Bun.spawnSync(argv)
      if (made.exitCode !== 0) throw new Error(made.stderr.toString())
      bytes = readFileSync(path)
    })

    test('is whole', async () => {
      expect(await fault(bytes, container)).toBeNull()
    })

    test.each([1, 2, 7, 100, 1000, 5000])('is cut off when %d bytes of its end are missing', async (count) => {
      expect(await fault(bytes.subarray(0, -count), container)).toMatch(/cut off|begins no (box|element)/)
    })

    test('is not whole at any half, nor as nothing', async () => {
      for (const share of [0.5, 0.1, 0.9]) {
        expect(await fault(bytes.subarray(0, bytes.length * share), container)).toBeString()
      }
      expect(await fault(Buffer.alloc(0), container)).toBeString()
    })

    test('has nothing behind its end', async () => {
      for (const tail of [Buffer.alloc(1), Buffer.alloc(4096), Buffer.from('garbage in the end'), bytes]) {
        expect(await fault(Buffer.concat([bytes, tail]), container)).toBeString()
      }
    })
  })
})

describe('a Matroska file', () => {
  test('with one byte changed anywhere but in its padding does not match its checksums', async () => {
    const bytes = readFileSync(join(folder, 'ffmpeg.mkv'))
    // The padding is 82 bytes of nothing behind the list of parts.
    for (let position = 300; position < bytes.length; position += Math.ceil(bytes.length / 200)) {
      const changed = Buffer.from(bytes)
      changed[position] = (changed[position] ?? 0) ^ 0x10
      expect(await fault(changed, 'mkv')).toBeString()
    }
  })
})

function faultOf(parts: (Buffer | undefined)[]) {
  return fault(Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))), 'mp4')
}

test('an mp4 with its index behind its media is not as it was planned', async () => {
  const bytes = readFileSync(join(folder, 'ffmpeg.mp4'))
  const boxes: [string, Buffer][] = []
  for (let position = 0; position < bytes.length; position += bytes.readUInt32BE(position)) {
    const box = bytes.subarray(position, position + bytes.readUInt32BE(position))
    boxes.push([box.toString('latin1', 4, 8), box])
  }
  expect(boxes.map(([name]) => name)).toEqual(['ftyp', 'moov', 'free', 'mdat'])
  const [ftyp, moov, free, mdat] = boxes.map(([, box]) => box)
  expect(await faultOf([ftyp, free, mdat, moov])).toBe('its index is not in front')
  expect(await faultOf([ftyp, moov, free])).toBe('it has no single mdat box')
  expect(await faultOf([ftyp, moov, moov, mdat])).toBe('it has no single moov box')
})

test('a size of 64 bits is read, and one that is no size is not followed', async () => {
  const bytes = readFileSync(join(folder, 'ffmpeg.mp4'))
  const mdat = bytes.lastIndexOf('mdat') - 4
  const header = Buffer.alloc(16)
  header.writeUInt32BE(1)
  header.write('mdat', 4)
  header.writeBigUInt64BE(BigInt(bytes.length - mdat + 8), 8)
  const long = (size: Buffer) => Buffer.concat([bytes.subarray(0, mdat), size, bytes.subarray(mdat + 8)])
  expect(await fault(long(header), 'mp4')).toBeNull()
  header.writeBigUInt64BE(3n, 8)
  expect(await fault(long(header), 'mp4')).toBe(`byte ${mdat} begins no box`)
})

test('a segment whose size was never filled in belongs to a file that was never finished', async () => {
  const bytes = Buffer.from(readFileSync(join(folder, 'ffmpeg.mkv')))
  const segment = bytes.indexOf(Buffer.from([0x18, 0x53, 0x80, 0x67]))
  bytes.fill(0xff, segment + 5, segment + 12)
  bytes[segment + 4] = 0x01
  expect(await fault(bytes, 'mkv')).toBe('its header is damaged')
})
