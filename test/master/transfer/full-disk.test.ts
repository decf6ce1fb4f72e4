import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { createFileClient } from '../../../src/api/file-client.ts'
import { listen } from '../../../src/api/server.ts'
import type { FileClaim } from '../../../src/contract/files.ts'
import { createLog } from '../../../src/util/log.ts'
import { whenIn } from '../../support/when-in.ts'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { reason } from '../../support/reason.ts'
import { lacksMounts, mountTinyDisk } from '../../support/tiny-disk.ts'

const mebibyte = 2 ** 20
const signal = () => AbortSignal.timeout(30_000)
const noise = (length: number) => Buffer.alloc(length, crypto.getRandomValues(Buffer.alloc(65_521)))
const sums = (bytes: Uint8Array) => crc32(bytes).toString(16).padStart(8, '0')

/** A claim whose result goes to a disk of twelve MiB, by a real socket. */
async function farAway() {
  const base = temporaryFolder()
  const disk = mountTinyDisk(join(base, 'output'), '12m')
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const master = openMaster({ base, log: createLog({ level: 'warn', format: 'text', output_path: null, write }) })
  await master.addSource('a.mp4')
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  if (job === null) throw new Error('there is no job')
  const key: FileClaim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
  const server = listen(master.app, { host: '127.0.0.1', port: 0 })
  const files = createFileClient(server.url)
  const path = join(base, 'result')
  const bytes = noise(8 * mebibyte)
  await Bun.write(path, bytes)
  return { disk, job, key, files, bytes, server, lines, send, [Symbol.asyncDispose]: close }

  function send(offset: number, length: number) {
    const crc = sums(bytes.subarray(offset, offset + length))
    return files.sendPart(key, { path, offset, length, size: bytes.length, crc32: crc }, signal())
  }

  async function close() {
    await server.stop()
    disk[Symbol.dispose]()
  }
}

describe.skipIf(lacksMounts('uploads to a full disk'))('a result whose disk', () => {
  test('has no room for a part is told that before it comes, and goes on when there is room', async () => {
    await using far = await farAway()
    expect(await far.send(0, 2 * mebibyte)).toBe(2 * mebibyte)
    far.disk.fill(3 * mebibyte)
    expect(await reason(far.send(2 * mebibyte, 6 * mebibyte))).toContain("the master's disk for results is full")
    expect(await far.files.uploaded(far.key, signal())).toBe(2 * mebibyte)
    expect(await reason(far.send(2 * mebibyte, 6 * mebibyte))).toContain("the master's disk for results is full")
    expect(far.lines.map((line) => line.replace(/.* WARN +/, ''))).toEqual([
      expect.stringContaining("results wait at their workers: the master's disk for results is full"),
    ])
    far.disk.clear()
    expect(await far.send(2 * mebibyte, 6 * mebibyte)).toBe(far.bytes.length)
    expect(readFileSync(far.job.staging_path).equals(far.bytes)).toBe(true)
  })

  test('fills up in mid-part keeps what was good of it, and says why', async () => {
    await using far = await farAway()
    await far.send(0, 1 * mebibyte)
    const part = far.bytes.subarray(1 * mebibyte)
    const fields = { ...far.key, attempt: '1', offset: String(mebibyte), size: String(far.bytes.length) }
    const head = [
      `POST /api/worker/result?${new URLSearchParams(fields).toString()} HTTP/1.1`,
      'Host: 127.0.0.1',
      `X-Part-CRC32: ${sums(part)}`,
      `Content-Length: ${part.length}`,
    ]
    const answer = Promise.withResolvers<string>()
    const socket = connect(far.server.port, '127.0.0.1').on('data', (data) => answer.resolve(String(data)))
    const half = whenIn(far.job.staging_path, 2 * mebibyte)
    socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), part.subarray(0, 3 * mebibyte)]))
    await half
    far.disk.fill()
    socket.write(part.subarray(3 * mebibyte))
    expect(await answer.promise).toMatch(/^HTTP\/1.1 503 [^]*the master's disk for results is full/)
    socket.destroy()
    far.disk.clear()
    expect(await far.files.uploaded(far.key, signal())).toBe(1 * mebibyte)
    expect(await far.send(mebibyte, 7 * mebibyte)).toBe(far.bytes.length)
    expect(readFileSync(far.job.staging_path).equals(far.bytes)).toBe(true)
  })
})
