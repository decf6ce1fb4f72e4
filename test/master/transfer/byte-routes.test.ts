import { describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { createClient } from '../../../src/api/client.ts'
import { createFileClient } from '../../../src/api/file-client.ts'
import type { FileClaim } from '../../../src/contract/files.ts'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { reason } from '../../support/reason.ts'
import { whenIn } from '../../support/when-in.ts'

const signal = AbortSignal.timeout(30_000)
const sha256 = (bytes: Uint8Array | string) => new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
const crc = (bytes: Uint8Array | string) => crc32(bytes).toString(16).padStart(8, '0')
const noise = (length: number) => crypto.getRandomValues(new Uint8Array(length))

/** The query of a request. */
const queryOf = (fields: object) =>
  new URLSearchParams(
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
  ).toString()

/** A master with a source that worker `w` has claimed. */
async function claimed(content: Uint8Array | string = noise(50_000)) {
  const master = openMaster()
  await master.addSource('films/a.mp4', content)
  const job = await claim(master)
  const key: FileClaim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
  const files = createFileClient('http://master.test', async (url, init) => master.app.request(url, init))
  const query = queryOf(key)
  return { master, job, key, files, query, content }
}

async function claim(master: TestMaster) {
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: crypto.randomUUID() })
  if (job === null) throw new Error('there is no job')
  return job
}

/** Who asks whom. */
type Asked = { master: TestMaster; query: string }

const get = ({ master, query }: Asked, headers: Record<string, string> = {}, method = 'GET') =>
  master.app.request(`/api/worker/source?${query}`, { method, headers })

function send({ master, query }: Asked, part: Uint8Array, told: Record<string, string | number> = {}) {
  const { sum = crc(part), length = part.length, ...more } = told
  const url = `/api/worker/result?${query}&${queryOf({ offset: 0, size: part.length, ...more })}`
  const headers = { 'X-Part-CRC32': String(sum), 'Content-Length': String(length) }
  return master.app.request(url, { method: 'POST', headers, body: part })
}

const codeOf = async (answer: Response | Promise<Response>) => {
  const { status, json } = await Promise.resolve(answer).then(async (one) => ({
    status: one.status,
    json: await one.json(),
  }))
  return [status, (json as { code: string }).code]
}

const messageOf = async (answer: Response) => ((await answer.json()) as { message: string }).message

/** A file that only the master may write, and a claim whose staging place somebody else can reach. */
async function trapped(lay: (place: { work: string; attempt: string; staged: string; precious: string }) => void) {
  const all = await claimed()
  const staged = all.job.staging_path
  const precious = join(temporaryFolder(), 'precious')
  writeFileSync(precious, 'precious')
  const attempt = dirname(staged)
  lay({ work: dirname(attempt), attempt, staged, precious })
  const answer = await codeOf(send(all, noise(100)))
  return { answer, content: readFileSync(precious, 'utf8'), beside: readdirSync(dirname(precious)) }
}

describe('a link that somebody laid', () => {
  const untouched = { answer: [403, 'forbidden'], content: 'precious', beside: ['precious'] }

  test('in the place of the result is not followed', async () => {
    const asLink = await trapped(({ attempt, staged, precious }) => {
      mkdirSync(attempt, { recursive: true })
      symlinkSync(precious, staged)
    })
    expect(asLink).toEqual(untouched)
  })

  test('as a second name of a file is not written to', async () => {
    const asName = await trapped(({ attempt, staged, precious }) => {
      mkdirSync(attempt, { recursive: true })
      linkSync(precious, staged)
    })
    expect(asName).toEqual(untouched)
  })

  test('in the place of the folder, or of the folder of all attempts, takes no byte', async () => {
    const asFolder = await trapped(({ work, attempt, precious }) => {
      mkdirSync(work, { recursive: true })
      symlinkSync(dirname(precious), attempt)
      writeFileSync(join(dirname(precious), 'result.mp4'), 'theirs')
    })
    expect(asFolder).toMatchObject({ answer: [403, 'forbidden'], content: 'precious' })
    const asWork = await trapped(({ work, precious }) => {
      rmSync(work, { recursive: true, force: true })
      mkdirSync(dirname(work), { recursive: true })
      symlinkSync(dirname(precious), work)
    })
    expect(asWork).toMatchObject({ answer: [403, 'forbidden'], content: 'precious' })
  })

  test('among the sources to a file elsewhere is not sent', async () => {
    const master = openMaster()
    const secret = join(temporaryFolder(), 'secret')
    writeFileSync(secret, 'secret')
    symlinkSync(secret, join(master.root_path, 'leak.mp4'))
    await master.addSource('leak.mp4', 'secret')
    const job = await claim(master)
    const query = queryOf({ job_id: job.id, worker_id: 'w', attempt: job.attempt })
    expect(await codeOf(get({ master, query }))).toEqual([403, 'forbidden'])
  })
})

describe('a source', () => {
  test('comes whole, in ranges, and to HEAD with its size and mark', async () => {
    const all = await claimed('0123456789')
    const whole = await get(all)
    expect([whole.status, await whole.text()]).toEqual([200, '0123456789'])
    const etag = whole.headers.get('ETag') ?? ''
    for (const [range, text, told] of [
      ['bytes=3-', '3456789', 'bytes 3-9/10'],
      ['bytes=3-5', '345', 'bytes 3-5/10'],
      ['bytes=8-99', '89', 'bytes 8-9/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
    ] as const) {
      const piece = await get(all, { Range: range, 'If-Range': etag })
      expect([piece.status, await piece.text(), piece.headers.get('Content-Range')]).toEqual([206, text, told])
    }
    const head = await get(all, {}, 'HEAD')
    expect([head.headers.get('ETag'), head.headers.get('Content-Length'), await head.text()]).toEqual([etag, '10', ''])
  })

  test('beyond its end is told so; ranges that make no sense, and of another file, give all of it', async () => {
    const all = await claimed('0123456789')
    const beyond = await get(all, { Range: 'bytes=10-' })
    expect([beyond.status, beyond.headers.get('Content-Range')]).toEqual([416, 'bytes */10'])
    for (const headers of [{ Range: 'bytes=5-3' }, { Range: 'lines=1-2' }, { Range: 'bytes=0-1,3-4' }]) {
      expect((await get(all, headers)).status).toBe(200)
    }
    const other = await get(all, { Range: 'bytes=5-', 'If-Range': '"another"' })
    expect([other.status, await other.text()]).toEqual([200, '0123456789'])
  })

  test('that changed since it was claimed is not given, and its job is queued again', async () => {
    const all = await claimed()
    appendFileSync(all.job.source_path, 'more')
    expect(await codeOf(get(all))).toEqual([409, 'conflict'])
    expect((await all.master.api.job({ job_id: all.job.id })).job.status).toBe('pending')
  })

  test('that changed is told to a client in words, by whatever it asks', async () => {
    const all = await claimed()
    appendFileSync(all.job.source_path, 'more')
    expect(await reason(all.files.describe(all.key, signal))).toContain('changed after it was claimed')
  })

  test('of no bytes is described and sent as what it is', async () => {
    const all = await claimed('')
    expect(await all.files.describe(all.key, signal)).toMatchObject({ size: 0 })
    const { etag } = await all.files.describe(all.key, signal)
    const empty = await all.files.fetchSource(all.key, { etag, offset: 0, end: null }, signal)
    expect([empty.length, await new Response(empty.body).text()]).toEqual([0, ''])
  })

  test('that is gone is told so', async () => {
    const all = await claimed()
    await all.master.addSource('b.mp4')
    rmSync(all.job.source_path)
    expect(await codeOf(get(all))).toEqual([404, 'not_found'])
  })

  test('goes to nobody but the owner of the claim, and no path is taken from the request', async () => {
    const all = await claimed()
    const { master, key } = all
    for (const other of [{ worker_id: 'x' }, { attempt: 2 }, { job_id: 'none' }, { job_id: '../../etc/passwd' }]) {
      const query = queryOf({ ...key, ...other })
      expect(await codeOf(master.app.request(`/api/worker/source?${query}`))).toEqual([409, 'conflict'])
      expect(await codeOf(send({ ...all, query }, noise(10)))).toEqual([409, 'conflict'])
    }
    const climbing = queryOf({ ...key, path: '/etc/passwd', source_path: '/etc/passwd' })
    const answer = await master.app.request(`/api/worker/source?${climbing}`)
    expect(sha256(await answer.bytes())).toBe(sha256(all.content))
    const { job_id, worker_id } = key
    const without = queryOf({ job_id, worker_id })
    expect(await codeOf(master.app.request(`/api/worker/source?${without}`))).toEqual([400, 'invalid_request'])
    expect(await codeOf(master.app.request(`/api/worker/source?${all.query}`, { method: 'DELETE' }))).toEqual([
      405,
      'method_not_allowed',
    ])
  })

  test('has its SHA-256 at the master, for the file that it was', async () => {
    const all = await claimed()
    const { etag } = await all.files.describe(all.key, signal)
    const api = createClient('http://master.test', async (url, init) => all.master.app.request(url, init))
    expect(await api.sourceSum({ ...all.key, etag })).toEqual({ sha256: sha256(all.content) })
    expect(await reason(api.sourceSum({ ...all.key, etag: '"another"' }))).toContain('changed while it was read')
  })
})

describe('a result', () => {
  test('comes in parts, and what is published has its SHA-256', async () => {
    const all = await claimed()
    const bytes = noise(3000)
    for (const [offset, end] of [
      [0, 1000],
      [1000, 2999],
      [2999, 3000],
    ] as const) {
      const answer = await send(all, bytes.subarray(offset, end), { offset, size: 3000 })
      expect(await answer.json()).toEqual({ uploaded: end })
      expect(await all.files.uploaded(all.key, signal)).toBe(end)
    }
    const done = await all.master.remote.complete({ ...all.key, output_size: 3000, sha256: sha256(bytes) })
    expect(done).toEqual({ status: 'completed' })
    expect(sha256(readFileSync(all.job.output_path))).toBe(sha256(bytes))
  })

  test('of another SHA-256 than its worker says is to be uploaded anew, and then published', async () => {
    const all = await claimed()
    const bytes = noise(100)
    await send(all, noise(100))
    const completion = { ...all.key, output_size: 100, sha256: sha256(bytes) }
    expect(await reason(all.master.remote.complete(completion))).toContain('another SHA-256')
    expect(await all.files.uploaded(all.key, signal)).toBe(0)
    expect(await reason(all.master.remote.complete(completion))).toContain("0 of the result's 100 bytes are here")
    await send(all, bytes)
    expect((await all.master.remote.complete(completion)).status).toBe('completed')
    expect(sha256(readFileSync(all.job.output_path))).toBe(sha256(bytes))
  })

  test('of another SHA-256 than its worker says twice is not published: the attempt failed', async () => {
    const all = await claimed()
    const completion = { ...all.key, output_size: 100, sha256: sha256('another') }
    await send(all, noise(100))
    expect(await reason(all.master.remote.complete(completion))).toContain('upload it once more')
    await send(all, noise(100))
    const done = await all.master.remote.complete(completion)
    expect(done.status).toBe('failed')
    expect(existsSync(all.job.output_path)).toBe(false)
    expect((await all.master.api.job({ job_id: all.job.id })).job.error_message).toContain('another SHA-256')
  })

  test.each([
    ['at a wrong offset', { offset: 99 }, 409, 'wrong_offset'],
    ['behind its end', { offset: 101 }, 409, 'wrong_offset'],
    ['of another CRC-32', { offset: 100, sum: crc('another') }, 422, 'damaged'],
    ['of no CRC-32', { offset: 100, sum: 'none' }, 400, 'invalid_request'],
    ['longer than the result', { offset: 100, size: 140 }, 400, 'invalid_request'],
    ['shorter than told', { offset: 100, length: 60 }, 400, 'invalid_request'],
    ['longer than told', { offset: 100, length: 40 }, 400, 'invalid_request'],
    ['larger than any may be', { offset: 100, length: 2 ** 30, size: 2 ** 31 }, 400, 'invalid_request'],
    ['at no place', { offset: -1 }, 400, 'invalid_request'],
  ] as const)('is not changed by a part %s', async (_, told, status, code) => {
    const all = await claimed()
    const first = noise(100)
    expect((await send(all, first, { size: 1000 })).status).toBe(200)
    expect(await codeOf(send(all, noise(50), { size: 1000, ...told }))).toEqual([status, code])
    expect(readFileSync(all.job.staging_path)).toEqual(Buffer.from(first))
    const rest = noise(900)
    expect((await send(all, rest, { offset: 100, size: 1000 })).status).toBe(200)
    expect(await all.files.uploaded(all.key, signal)).toBe(1000)
  })

  test('shows how far it is on its way', async () => {
    const all = await claimed()
    const progress = async () => (await all.master.api.job({ job_id: all.job.id })).job.progress
    await send(all, noise(100), { size: 400 })
    expect(await progress()).toMatchObject({ step: 'publish', percent: 25 })
    await send(all, noise(200), { offset: 100, size: 400 })
    expect(await progress()).toMatchObject({ step: 'publish', percent: 75 })
  })

  test('takes a sum in digits of either case, and says by name which header is wrong', async () => {
    const all = await claimed()
    const bytes = noise(100)
    expect((await send(all, bytes, { sum: crc(bytes).toUpperCase() })).status).toBe(200)
    expect(await messageOf(await send(all, bytes, { sum: '0x' }))).toBe(
      'X-Part-CRC32: must be a CRC-32 in 8 hex digits',
    )
    expect(await messageOf(await send(all, bytes, { length: 0 }))).toMatch(
      /^Content-Length: must be a whole number from 1 to/,
    )
    const url = `/api/worker/result?${all.query}&${queryOf({ offset: 0, size: 100 })}`
    const headers = { 'X-Part-CRC32': crc(bytes) }
    const chunked = await all.master.app.request(url, { method: 'POST', headers, body: bytes })
    expect(await messageOf(chunked)).toContain('Content-Length: is missing; a part tells its length before it comes')
    expect(readFileSync(all.job.staging_path)).toEqual(Buffer.from(bytes))
  })

  test('begins anew with its first byte', async () => {
    const all = await claimed()
    await send(all, noise(100), { size: 1000 })
    const other = noise(60)
    expect((await send(all, other)).status).toBe(200)
    expect((await all.master.remote.complete({ ...all.key, output_size: 60, sha256: sha256(other) })).status).toBe(
      'completed',
    )
  })

  test('of which nothing was uploaded, or which was taken away, is not published, and the claim stays', async () => {
    const all = await claimed()
    const bytes = noise(100)
    const completion = { ...all.key, output_size: 100, sha256: sha256(bytes) }
    expect(await reason(all.master.remote.complete(completion))).toContain("0 of the result's 100 bytes are here")
    await send(all, bytes)
    rmSync(all.job.staging_path)
    expect(await reason(all.master.remote.complete(completion))).toContain("0 of the result's 100 bytes are here")
    await send(all, bytes)
    expect((await all.master.remote.complete(completion)).status).toBe('completed')
  })

  test('is not published while a part of it is still coming in, with a sum or without', async () => {
    const all = await claimed()
    const bytes = noise(100)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const headers = { 'X-Part-CRC32': crc(bytes), 'Content-Length': '100' }
    const url = `/api/worker/result?${all.query}&${queryOf({ offset: 0, size: 100 })}`
    const sending = all.master.app.request(url, { method: 'POST', headers, body: readable })
    const sender = writable.getWriter()
    await sender.write(bytes.subarray(0, 60))
    await whenIn(all.job.staging_path, 60)
    for (const sha of [sha256(bytes.subarray(0, 60)), null]) {
      const completion = { ...all.key, output_size: 60, sha256: sha }
      expect(await reason(all.master.remote.complete(completion))).toContain('still coming in')
    }
    await sender.write(bytes.subarray(60))
    await sender.close()
    expect(await (await sending).json()).toEqual({ uploaded: 100 })
    const done = await all.master.remote.complete({ ...all.key, output_size: 100, sha256: sha256(bytes) })
    expect(done.status).toBe('completed')
  })

  test('of a lost attempt is refused and leaves nothing, and that of the new one is its own', async () => {
    const all = await claimed()
    await send(all, noise(100), { size: 1000 })
    await all.master.api.release(all.key)
    expect(await codeOf(send(all, noise(100), { offset: 100, size: 1000 }))).toEqual([409, 'conflict'])
    expect(existsSync(dirname(all.job.staging_path))).toBe(false)
    const again = await claim(all.master)
    expect(await all.files.uploaded({ ...all.key, attempt: again.attempt }, signal)).toBe(0)
  })

  test('that a crash cut in mid-part is taken up by a new master', async () => {
    const base = temporaryFolder()
    const master = openMaster({ base })
    await master.addSource('a.mp4', noise(100))
    const job = await claim(master)
    const key = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
    await master.coordinator.stop()
    await master.store.close()
    const bytes = noise(2000)
    master.stage(job.staging_path, '')
    writeFileSync(job.staging_path, bytes.subarray(0, 700))
    const next = openMaster({ base })
    const query = queryOf(key)
    const files = createFileClient('http://master.test', async (url, init) => next.app.request(url, init))
    expect(await files.uploaded(key, signal)).toBe(700)
    expect((await send({ master: next, query }, bytes.subarray(700), { offset: 700, size: 2000 })).status).toBe(200)
    expect((await next.remote.complete({ ...key, output_size: 2000, sha256: sha256(bytes) })).status).toBe('completed')
  })
})

describe('the proof of a shared folder', () => {
  test('holds for who reads what the master wrote and writes what the master reads, and leaves nothing', async () => {
    const { api, output_base } = openMaster()
    const { proof_id, path, answer_path } = await api.beginStorageProof({ worker_id: 'w' })
    writeFileSync(answer_path, 'mine')
    const read = readFileSync(path, 'utf8')
    expect(await api.confirmStorage({ worker_id: 'w', proof_id, read, written: 'mine' })).toEqual({ is_same: true })
    expect(readdirSync(join(output_base, '.darkstream', 'work'))).toEqual([])
    expect(await api.confirmStorage({ worker_id: 'w', proof_id, read, written: 'mine' })).toEqual({ is_same: false })
  })

  test.each([
    ['read something else', { read: 'x', answer: 'mine', written: 'mine' }],
    ['wrote nothing there', { read: undefined, answer: undefined, written: 'mine' }],
    ['wrote it elsewhere', { read: undefined, answer: 'of another', written: 'mine' }],
    ['wrote nothing at all', { read: undefined, answer: '', written: '' }],
  ])('does not hold for who %s', async (_, { read, answer, written }) => {
    const { api, output_base } = openMaster()
    const proof = await api.beginStorageProof({ worker_id: 'w' })
    if (answer !== undefined) writeFileSync(proof.answer_path, answer)
    const told = { worker_id: 'w', proof_id: proof.proof_id, read: read ?? readFileSync(proof.path, 'utf8'), written }
    expect(await api.confirmStorage(told)).toEqual({ is_same: false })
    expect(readdirSync(join(output_base, '.darkstream', 'work'))).toEqual([])
  })
})
