import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import { withToken } from '../../src/api/client.ts'
import { createFileClient } from '../../src/api/file-client.ts'
import { listen } from '../../src/api/server.ts'
import { trustedFetch } from '../../src/api/trusted-fetch.ts'
import { openMaster } from '../support/master.ts'
import { temporaryFolder } from '../support/program.ts'

const signal = AbortSignal.timeout(30_000)

test('with TLS a source and the parts of a result go as without, each of its announced length', async () => {
  const master = openMaster()
  const content = crypto.getRandomValues(new Uint8Array(60_000))
  await master.addSource('a.mp4', content)
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  const claim = { job_id: job?.id ?? '', worker_id: 'w', attempt: job?.attempt ?? 0 }
  const pair = selfSigned(['localhost'], new Date())
  const server = listen(master.app, { host: '127.0.0.1', port: 0, tls: pair })
  try {
    const request = withToken(undefined, trustedFetch({ ca: null, pin: pinOf(pair.cert) }))
    const files = createFileClient(server.url, request)
    const { etag } = await files.describe(claim, signal)
    const source = await files.fetchSource(claim, { etag, offset: 10_000, end: null }, signal)
    expect(source).toMatchObject({ offset: 10_000, length: 50_000, etag })
    const pieces: Uint8Array[] = []
    for await (const piece of source.body) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(content.subarray(10_000))).toBe(true)

    // Longer than what one write to a socket takes.
    const result = Buffer.alloc(5_000_001, content)
    const path = join(temporaryFolder(), 'result.mp4')
    writeFileSync(path, result)
    for (const [offset, length] of [
      [0, 4_000_000],
      [4_000_000, 1_000_001],
    ] as const) {
      const part = {
        path,
        offset,
        length,
        size: result.length,
        crc32: crc32(result.subarray(offset, offset + length))
          .toString(16)
          .padStart(8, '0'),
      }
      expect(await files.sendPart(claim, part, signal)).toBe(offset + length)
    }
    expect(await files.uploaded(claim, signal)).toBe(result.length)
  } finally {
    await server.stop()
  }
})
