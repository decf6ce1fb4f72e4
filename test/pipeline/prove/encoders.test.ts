import { expect, setDefaultTimeout, test } from 'bun:test'
import { proveEncoders } from '../../../src/pipeline/prove/encoders.ts'
import { findTools } from '../../../src/pipeline/tools.ts'

setDefaultTimeout(60_000)

const { signal } = new AbortController()

test('each codec is proved by an encode that is read back', async () => {
  const tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
  const passed = { ok: true, reason: null }
  expect(await proveEncoders(tools, process.env, signal)).toEqual([
    { codec: 'h264', encoder: 'libx264', ...passed },
    { codec: 'hevc', encoder: 'libx265', ...passed },
    { codec: 'av1', encoder: 'libsvtav1', ...passed },
    { codec: 'vp9', encoder: 'libvpx-vp9', ...passed },
    { codec: 'ffv1', encoder: 'ffv1', ...passed },
    { codec: 'prores', encoder: 'prores_ks', ...passed },
    { codec: 'aac', encoder: 'aac', ...passed },
    { codec: 'opus', encoder: 'libopus', ...passed },
  ])
})

test('an ffmpeg that exits well and writes nothing proves nothing', async () => {
  const tools = { ffmpeg_path: 'true', ffprobe_path: 'ffprobe', version: '7.1' }
  const proofs = await proveEncoders(tools, process.env, signal)
  expect(proofs.map((proof) => proof.ok)).toEqual(Array(8).fill(false))
  expect(proofs[0]?.reason).toStartWith('the test encode cannot be read: ')
})
