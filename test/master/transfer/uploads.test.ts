import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Uploads } from '../../../src/master/transfer/uploads.ts'
import { temporaryFolder } from '../../support/program.ts'
import { reason } from '../../support/reason.ts'

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
const noise = (length: number) => crypto.getRandomValues(new Uint8Array(length))

/** A part that begins the result anew. */
function first(bytes: Uint8Array, size = bytes.length) {
  const part = { offset: 0, length: bytes.length, size, crc32: crc32(bytes).toString(16).padStart(8, '0') }
  return [part, { stream: new Blob([bytes]).stream(), hangUp: () => {} }] as const
}

test('What a slow line still brings of a result changes nothing of it while it is published', async () => {
  const [uploads, staged] = [new Uploads(), join(temporaryFolder(), 'a', 'work', 'job.1', 'result.mp4')]
  const bytes = noise(100_000)
  await uploads.receive(staged, ...first(bytes))
  await uploads.publishing(staged, async () => {
    const late = reason(uploads.receive(staged, ...first(noise(50_000), bytes.length)))
    expect(await uploads.isAsTold(staged, { size: bytes.length, sha256: sha256(bytes) })).toBe(true)
    expect(await late).toContain('just being published')
    expect(await reason(uploads.receive(staged, ...first(noise(50_000))))).toContain('just being published')
    expect(readFileSync(staged).equals(bytes)).toBe(true)
  })
})

test('A result that could not be published may be uploaded anew', async () => {
  const [uploads, staged] = [new Uploads(), join(temporaryFolder(), 'a', 'work', 'job.1', 'result.mp4')]
  await uploads.receive(staged, ...first(noise(100)))
  const refused = uploads.publishing(staged, async () => {
    throw new Error('the disk is full')
  })
  expect(await reason(refused)).toContain('the disk is full')
  expect(await uploads.receive(staged, ...first(noise(60)))).toBe(60)
})
