import { describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { createClient } from '../../../src/api/client.ts'
import { createFileClient } from '../../../src/api/file-client.ts'
import type { Assignment } from '../../../src/contract/job.ts'
import { Pace } from '../../../src/worker/transfer/pace.ts'
import { startProxy } from '../../support/cutting-proxy.ts'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { whenIn } from '../../support/when-in.ts'
import { openFiles, type OpenFilesOptions, serve } from './open-files.ts'
import { reason } from '../../support/reason.ts'

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
const noise = (length: number) =>
  Buffer.concat(Array.from({ length: Math.ceil(length / 65_536) }, () => crypto.getRandomValues(Buffer.alloc(65_536))))
const signal = () => AbortSignal.timeout(30_000)

/** A master behind a line that can be cut, with a claimed source of eight MiB. */
async function farAway() {
  const master = openMaster()
  const bytes = noise(8 * 2 ** 20)
  await master.addSource('a.mp4', bytes)
  const direct = serve(master)
  const proxy = await startProxy(direct.url)
  const requests: string[] = []
  const request = (url: string, init: RequestInit) => {
    requests.push(`${init.method} ${new Headers(init.headers).get('Range') ?? ''}`)
    return fetch(url, { ...init, keepalive: false })
  }
  const [api, transfer] = [createClient(proxy.url, request), createFileClient(proxy.url, request)]
  const work_base = temporaryFolder()
  const job = await claim()
  return { master, bytes, proxy, direct: direct.url, requests, api, transfer, work_base, job, claim, files: open }

  async function claim(): Promise<Assignment> {
    const found = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: crypto.randomUUID() })
    if (found === null) throw new Error('there is no job')
    return found
  }

  function open(options: Partial<OpenFilesOptions> = {}) {
    return openFiles({ api, transfer, work_base, stall_timeout_ms: 2000, ...options })
  }
}

/** Only the first call counts. */
function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}

/** Those of the source, beside the one that asks what it is. */
const ranges = (requests: readonly string[]) =>
  requests.filter((one) => one.includes('bytes=') && !one.endsWith('=0-0')).map((one) => one.slice(10))

describe('a download', () => {
  test.each(['cut', 'silence'] as const)('goes on where it was after each %s, and is whole', async (kind) => {
    const far = await farAway()
    const place = await far.files().choose(far.job)
    for (const after_bytes of [1_000_000, 3_000_000]) far.proxy.faults.push({ after_bytes, direction: 'down', kind })
    const path = await place.source(signal(), () => {})
    expect(sha256(readFileSync(path))).toBe(sha256(far.bytes))
    expect(far.proxy.met()).toBe(2)
    const starts = ranges(far.requests).map((range) => Number.parseInt(range, 10))
    // What a cut takes away on the line is asked for again; what was written is not.
    expect(starts[0]).toBe(0)
    expect(starts).toEqual(starts.toSorted((one, other) => one - other))
    expect(starts.at(-1)).toBeGreaterThan(0)
  })

  test('that a process left half done is gone on with by the next, and what is whole is not fetched again', async () => {
    const far = await farAway()
    const stopping = new AbortController()
    const place = await far.files({ pace: new Pace(40_000_000) }).choose(far.job)
    const half = place.source(stopping.signal, (percent) => percent > 30 && stopping.abort(new Error('killed')))
    expect(await reason(half)).toContain('killed')
    const [part = ''] = readdirSync(join(far.work_base, 'sources'))
    const kept = statSync(join(far.work_base, 'sources', part)).size
    expect(kept).toBeGreaterThan(0)
    far.requests.length = 0
    const path = await (await far.files().choose(far.job)).source(signal(), () => {})
    expect(ranges(far.requests)).toEqual([`${kept}-`])
    expect(sha256(readFileSync(path))).toBe(sha256(far.bytes))
    await far.master.api.release({ job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt })
    far.requests.length = 0
    const again = await (await far.files().choose(await far.claim())).source(signal(), () => {})
    expect([again, ranges(far.requests)]).toEqual([path, []])
  })

  test('of a source that grows meanwhile ends: the claim is lost, the job queued again', async () => {
    const far = await farAway()
    const place = await far.files({ pace: new Pace(100_000_000) }).choose(far.job)
    const grow = once(() => appendFileSync(far.job.source_path, 'more'))
    expect(await reason(place.source(signal(), grow))).not.toBe('')
    expect((await far.master.api.job({ job_id: far.job.id })).job.status).toBe('pending')
  })

  test('of a source that changes is not gone on with to its end', async () => {
    const far = await farAway()
    far.proxy.faults.push({ after_bytes: 2_000_000, direction: 'down', kind: 'silence' })
    const place = await far.files({ stall_timeout_ms: 60_000 }).choose(far.job)
    const grow = once(() => appendFileSync(far.job.source_path, 'more'))
    expect(await reason(place.source(signal(), grow))).toContain('changed after it was claimed')
    expect((await far.master.api.job({ job_id: far.job.id })).job.status).toBe('pending')
  })

  test('of a source in whose place another of its size and time is put is never two films in one', async () => {
    const far = await farAway()
    const other = noise(far.bytes.length)
    const place = await far.files({ pace: new Pace(100_000_000) }).choose(far.job)
    const replace = once(() => {
      const { atime, mtime } = statSync(far.job.source_path)
      const path = `${far.job.source_path}.new`
      writeFileSync(path, other)
      utimesSync(path, atime, mtime)
      renameSync(path, far.job.source_path)
    })
    const path = await place.source(signal(), replace)
    expect(sha256(readFileSync(path))).toBe(sha256(other))
  })

  test('that came with a wrong byte of an earlier try is found out by its SHA-256, and fetched again', async () => {
    const far = await farAway()
    const stopping = new AbortController()
    const place = await far.files({ pace: new Pace(40_000_000) }).choose(far.job)
    const half = place.source(stopping.signal, (percent) => percent > 30 && stopping.abort(new Error('killed')))
    expect(await reason(half)).toContain('killed')
    const [part = ''] = readdirSync(join(far.work_base, 'sources'))
    const path = join(far.work_base, 'sources', part)
    const bytes = readFileSync(path)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const whole = await (await far.files().choose(far.job)).source(signal(), () => {})
    expect(sha256(readFileSync(whole))).toBe(sha256(far.bytes))
  })
})

describe('an upload', () => {
  test.each(['cut', 'silence'] as const)('goes on where it was after each %s, and is whole', async (kind) => {
    const far = await farAway()
    const path = join(temporaryFolder(), 'result')
    writeFileSync(path, far.bytes)
    const claim = { job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt }
    for (const after_bytes of [700_000, 900_000]) far.proxy.faults.push({ after_bytes, direction: 'up', kind })
    await far.files().upload(claim, path, far.bytes.length, signal())
    expect(far.proxy.met()).toBe(2)
    expect(sha256(readFileSync(far.job.staging_path))).toBe(sha256(far.bytes))
    const done = await far.api.complete({ ...claim, output_size: far.bytes.length, sha256: sha256(far.bytes) })
    expect(done.status).toBe('completed')
  })

  test.each([
    [600_000, 'comes in parts that it takes', undefined],
    [
      60_000,
      'is told what to do about it',
      /a proxy before the master takes no part of 65536 bytes: .*client_max_body_size/,
    ],
  ] as const)('through a proxy that takes no body above %d bytes %s', async (maxRequestBodySize, _, refused) => {
    const far = await farAway()
    using proxy = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      maxRequestBodySize,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url)
        const { method, headers } = request
        const body = method === 'POST' ? { body: await request.arrayBuffer() } : {}
        return fetch(`${far.direct}${pathname}${search}`, { method, headers, ...body })
      },
    })
    const path = join(temporaryFolder(), 'result')
    writeFileSync(path, far.bytes)
    const claim = { job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt }
    const files = far.files({ transfer: createFileClient(proxy.url.href) })
    const uploading = files.upload(claim, path, far.bytes.length, signal())
    if (refused) return expect(await reason(uploading)).toMatch(refused)
    await uploading
    expect(sha256(readFileSync(far.job.staging_path))).toBe(sha256(far.bytes))
  })

  test('of a lost attempt ends with the refusal, and leaves nothing', async () => {
    const far = await farAway()
    const path = join(temporaryFolder(), 'result')
    writeFileSync(path, far.bytes)
    const claim = { job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt }
    await far.master.api.release(claim)
    expect(await reason(far.files().upload(claim, path, far.bytes.length, signal()))).toContain('is not worker w')
    expect(existsSync(dirname(far.job.staging_path))).toBe(false)
  })

  test('is not published while a part of it is on its way, which a newer one waits for', async () => {
    const far = await farAway()
    const { port, hostname } = new URL(far.direct)
    const claim = { job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt }
    const query = new URLSearchParams({ ...claim, attempt: '1', offset: '0', size: '6000000' }).toString()
    const begun = whenIn(far.job.staging_path, 1)
    const hung = connect(Number(port), hostname)
    const ended = new Promise((resolve) => hung.on('close', resolve))
    const head = `POST /api/worker/result?${query} HTTP/1.1\r\nHost: x\r\nX-Part-CRC32: 00000000\r\nContent-Length: 6000000\r\n\r\n`
    hung.write(Buffer.concat([Buffer.from(head), far.bytes.subarray(0, 3_000_000)]))
    await begun
    const result = far.bytes.subarray(0, 6_000_000)
    const completion = { ...claim, output_size: result.length, sha256: sha256(result) }
    expect(await reason(far.api.complete(completion))).toContain('still coming in')
    const path = join(temporaryFolder(), 'result')
    writeFileSync(path, result)
    await far.files({ stall_timeout_ms: 20_000 }).upload(claim, path, result.length, signal())
    await ended
    expect((await far.api.complete(completion)).status).toBe('completed')
  }, 30_000)

  test('half of which is there is not published: what lacks is told, and the claim is kept', async () => {
    const far = await farAway()
    const path = join(temporaryFolder(), 'result')
    writeFileSync(path, far.bytes)
    const claim = { job_id: far.job.id, worker_id: 'w', attempt: far.job.attempt }
    const crc = crc32(far.bytes.subarray(0, 1000)).toString(16).padStart(8, '0')
    const part = { path, offset: 0, length: 1000, size: far.bytes.length, crc32: crc }
    await far.transfer.sendPart(claim, part, signal())
    const completion = { ...claim, output_size: far.bytes.length, sha256: sha256(far.bytes) }
    expect(await reason(far.api.complete(completion))).toContain(
      `1000 of the result's ${far.bytes.length} bytes are here`,
    )
    await far.files().upload(claim, path, far.bytes.length, signal())
    expect((await far.api.complete(completion)).status).toBe('completed')
  })
})
