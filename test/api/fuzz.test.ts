import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import * as v from 'valibot'
import { listen } from '../../src/api/server.ts'
import { isErrorCode } from '../../src/contract/error.ts'
import { type Operation, routes } from '../../src/contract/routes.ts'
import { openMaster, settings, type TestMaster } from '../support/master.ts'

/** Sequences of requests; thousands where `DARKSTREAM_TEST_RUNS` says so. */
const runs = Number(process.env['DARKSTREAM_TEST_RUNS'] ?? 300)
/** Repeats the run that printed it. */
const seed = process.env['DARKSTREAM_TEST_SEED']
/** Requests in one sequence, at most. */
const longest = 8
const parameters = { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) }

setDefaultTimeout(60_000 + runs * 200)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Fields = Record<string, Json>

/** A request as it goes out, with all that is needed to say what the answer must be. */
interface Sent {
  method: string
  path: string
  /** With its `?`; empty for none. */
  query: string
  headers: Record<string, string>
  body: Uint8Array | null
  /** Sent in pieces, without a length. */
  isChunked: boolean
}

const operations = Object.keys(routes) as Operation[]
/** What is served beside the route table, by GET. */
const plainPaths = ['/healthz', '/readyz', '/metrics', '/api/health']
const maxBodyBytes = 1 << 20

/** A queue with a job in every state, held and ended by several workers. */
async function prepared(): Promise<{ master: TestMaster; ids: string[] }> {
  const master = openMaster({ max_retries: 0 })
  const ids: string[] = []
  for (const name of ['a.mkv', 'b.mkv', 'c.mkv', 'd.mkv', 'e.mkv', 'f.mkv']) ids.push(await master.addSource(name))
  for (const worker_id of ['w1', 'w2', 'w3']) {
    await master.api.register({ worker_id, boot_id: 'boot' })
    await master.api.claim({ worker_id, boot_id: 'boot', request_id: 'first' })
  }
  const { jobs } = await master.api.jobs({ status: 'processing', worker_id: 'w3' })
  for (const { id, attempt } of jobs) await master.api.fail({ job_id: id, worker_id: 'w3', attempt })
  await master.api.cancelJob({ job_id: ids.at(-1) ?? '' })
  return { master, ids }
}

/** A view of everything that the master keeps, table by table. */
function opened(master: TestMaster): { dump: () => string } & Disposable {
  const database = new Database(join(dirname(master.root_path), 'jobs.db'), { readonly: true })
  const tables = database.query<{ name: string }, []>("select name from sqlite_master where type = 'table'").all()
  const queries = tables.map(({ name }) => database.query(`select * from "${name}"`))
  return {
    dump: () => JSON.stringify(queries.map((query) => query.all())),
    [Symbol.dispose]: () => database.close(),
  }
}

const aWorker = fc.constantFrom('w1', 'w2', 'w3', 'stranger')
const aPath = { decode: 'cpu', filter: 'cpu', encoder: 'libx264', device: null }
const aProgress = { step: 'encode', percent: 50, fps: 25, speed: 1, eta_seconds: 10, runs_on: aPath }
const aReport = { class: 'permanent', step: 'encode', command: ['ffmpeg'], stderr_tail: 'no', exit_code: 1 }
const aRun = { ...aPath, fell_back: false, reasons: ['there is none'] }
const someFacts = { codec: 'hevc', width: 1, height: 1, is_hdr: false, bit_rate: 1, duration_seconds: 1, format: 'mov' }
const aRecord = { source_facts: someFacts, profile: 'films', settings }
const gpus = { mode: 'off', gpus: [], problem: 'none', figures: [] }
const statusOfMachine = {
  hostname: 'h',
  active_jobs: 1,
  status: 'busy',
  cpu_usage: 50,
  memory_usage: 50,
  gpu_report: gpus,
}

/** Input of each operation that its contract allows, over the jobs and workers that there are. */
function validInput(operation: Operation, ids: readonly string[]): fc.Arbitrary<Fields> {
  const job_id = fc.constantFrom(...ids)
  const claim = { job_id, worker_id: aWorker, attempt: fc.constantFrom(1, 2) }
  const process = { worker_id: aWorker, boot_id: fc.constantFrom('boot', 'other') }
  const constants = (fields: Fields) => Object.fromEntries(Object.entries(fields).map(([k, x]) => [k, fc.constant(x)]))
  const record = (fields: Record<string, fc.Arbitrary<Json>>) => fc.record(fields) as fc.Arbitrary<Fields>
  const inputs: Record<Operation, fc.Arbitrary<Fields>> = {
    nextJob: record({ worker_id: aWorker, ...constants({ gpu_available: 'true', wait: 0 }) }),
    complete: record({
      ...claim,
      ...constants({ output_size: 10, source_duration: 1, notes: ['a note'], ran_on: aRun }),
      ...constants({ ...aRecord, score: { metric: 'vmaf', value: 95 } }),
    }),
    skip: record({ ...claim, ...constants({ reason: 'too large', notes: [], ran_on: aRun, ...aRecord }) }),
    fail: record({ ...claim, ...constants({ error_message: 'no', report: aReport, ran_on: aRun }) }),
    heartbeat: record({
      ...process,
      ...constants(statusOfMachine),
      claims: fc.array(fc.record({ job_id, attempt: fc.constant(1) }), { maxLength: 2 }),
    }),
    register: record({ ...process, ...constants(statusOfMachine) }),
    claim: record({ ...process, ...constants({ request_id: 'again', wait: 0 }) }),
    reportProgress: record({ ...claim, ...constants({ progress: aProgress }) }),
    release: record({ ...claim, ...constants({ source_facts: aRecord.source_facts }) }),
    leave: record(process),
    beginStorageProof: record({ worker_id: aWorker }),
    confirmStorage: record({ worker_id: aWorker, ...constants({ proof_id: 'none', read: 'a', written: 'b' }) }),
    sourceMark: record(claim),
    sourceSum: record({ ...claim, ...constants({ etag: '"1-1-1"' }) }),
    status: record({}),
    stats: record({}),
    jobs: record({ worker_id: aWorker, ...constants({ status: 'pending', search: 'a', limit: 10 }) }),
    job: record({ job_id }),
    workers: record(constants({ active_only: 'true' })),
    resumeWorker: record({ worker_id: aWorker }),
    retry: record(constants({ limit: 10 })),
    retryJob: record({ job_id }),
    requeueJob: record({ job_id }),
    undoJob: record({ job_id }),
    requeueChanged: record(constants({ changed: true, dry_run: true, after: 0 })),
    cancelJob: record({ job_id }),
    prioritizeJob: record({ job_id, ...constants({ priority: 5 }) }),
  }
  return inputs[operation]
}

const oddNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  'job_id ',
  'JOB_ID',
  'worker_id',
  '0',
  'length',
]
const oddNumbers = [0, -1, 1.5, 1e21, -1e308, Number.MAX_SAFE_INTEGER, 2 ** 53, 101, 1001]
const oddTexts = [
  ['', ' ', 'NaN', 'Infinity', '-1', '1e3', '0x10', '٣', 'null', 'w1', 'pending', 'a\u0000b', 'new\nline', '\u007f'],
  ['\ud800', '../../etc/passwd', "' or 1=1 --", '%', '_', 'x'.repeat(201), 'x'.repeat(1025), 'y'.repeat(40_000)],
].flat()
const oddShapes: Json[] = [[], [null], [[[[]]]], Array<number>(1001).fill(1), {}, { a: { b: {} } }, { length: 1e9 }]
const oddValues: readonly Json[] = [null, true, false, ...oddNumbers, ...oddTexts, ...oddShapes, { toString: null }]
const anOddValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddValues) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)

/** A change somewhere in a value: `at` picks the place, of all that there are. */
interface Change {
  at: number
  how: 'replace' | 'remove' | 'add'
  name: string
  value: Json
}
const aChange: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  name: fc.constantFrom(...oddNames),
  value: anOddValue,
})

/** The value with one place in it changed. */
function changed(value: Json, change: Change): Json {
  const places = placesIn(value, [])
  const place = places[change.at % places.length] ?? []
  return withChange(value, place, change)
}

function placesIn(value: Json, path: string[]): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]))
  // The whole is replaced rarely: by other tests, and by those of broken bodies.
  return path.length === 0 && below.length > 0 ? below : [path, ...below]
}

function withChange(value: Json, [key, ...rest]: string[], change: Change): Json {
  if (key === undefined) return change.value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, part]): [string, Json][] => {
    if (name !== key) return [[name, part]]
    if (rest.length > 0) return [[name, withChange(part, rest, change)]]
    if (change.how === 'remove') return []
    if (change.how === 'replace') return [[name, change.value]]
    return [
      [name, part],
      [change.name, change.value],
    ]
  })
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries)
}

const encoder = new TextEncoder()
/** Two MiB of space. */
const tooMuch = new Uint8Array(2 * maxBodyBytes).fill(32)
/** What becomes of a text on its way to bytes; most go as they are. */
const wrecks: readonly ((text: string, at: number) => Uint8Array)[] = [
  ...Array<(text: string) => Uint8Array>(12).fill((text) => encoder.encode(text)),
  (text, at) => encoder.encode(text.slice(0, at % (text.length + 1))),
  (text, at) =>
    Buffer.concat([
      encoder.encode(text.slice(0, at % (text.length + 1))),
      Buffer.from([0xff, 0xc0, 0x80]),
      encoder.encode(text.slice(at % (text.length + 1))),
    ]),
  (text) => encoder.encode(`\u{feff}${text}`),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => encoder.encode(text.replace('{', '{"worker_id":"w1","worker_id":"w2",')),
  (text) => encoder.encode(text.replace(/\d+/, '1e999')),
  (text) => encoder.encode(text.replace(/"[^"]*"/, 'NaN')),
  (text) => encoder.encode(text.replaceAll('"', "'")),
  (text) => encoder.encode(`${text}${text}`),
  (text) => encoder.encode(`[${text}]`),
  () => encoder.encode('['.repeat(200_000)),
  () => encoder.encode('{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000)),
  (text) => Buffer.concat([encoder.encode(text), tooMuch]),
]

function aRequest(ids: readonly string[]): fc.Arbitrary<Sent> {
  const toOperation = fc.constantFrom(...operations).chain((operation) =>
    fc
      .record({
        fields: validInput(operation, [...ids, 'no such job', '7', 'a/../b', '\u{1f3ac}', 'x\ny']),
        changes: fc.oneof(fc.constant<Change[]>([]), fc.array(aChange, { minLength: 1, maxLength: 3 })),
        wreck: fc.constantFrom(...wrecks),
        at: fc.nat({ max: 2000 }),
        method: fc.oneof(
          { weight: 12, arbitrary: fc.constant<string>(routes[operation].method) },
          { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'BREW') },
        ),
        suffix: fc.oneof(
          { weight: 20, arbitrary: fc.constant('') },
          { weight: 1, arbitrary: fc.constantFrom('/', '/x', '%00', '.json', '%2f..', ';a=b', '%') },
        ),
        extra: fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: aQuery }),
        headers: someHeaders,
        isChunked: fc.boolean(),
      })
      .map(({ fields, changes, wreck, at, method, suffix, extra, headers, isChunked }): Sent => {
        const input = changes.reduce<Json>(changed, fields)
        const isGet = routes[operation].method === 'GET'
        const query = isGet ? queryOf(input, extra) : extra === '' ? '' : `?${extra}`
        const canCarry = method !== 'GET' && method !== 'HEAD'
        const body = canCarry && !isGet ? wreck(JSON.stringify(input), at) : null
        return { method, path: routes[operation].path + suffix, query, headers, body, isChunked }
      }),
  )
  const elsewhere = fc.record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD', 'DELETE'),
    path: fc.oneof(fc.constantFrom(...plainPaths), fc.constantFrom(...strangePaths), fc.webPath()),
    query: fc.oneof(
      fc.constant(''),
      aQuery.map((query) => `?${query}`),
    ),
    headers: someHeaders,
    body: fc.constant(null),
    isChunked: fc.constant(false),
  })
  return fc.oneof({ weight: 9, arbitrary: toOperation }, { weight: 1, arbitrary: elsewhere })
}

const strangePaths = [
  '/',
  '/api',
  '/api/',
  '/API/JOBS',
  '//api/jobs',
  '/api//jobs',
  '/api/./jobs',
  '/api/%6Aobs',
  '/%',
  '/\u{1f3ac}',
  `/${'x'.repeat(5000)}`,
  '/__proto__',
  '/api/constructor',
  '/api/job/../../etc/passwd',
]
const aQuery = fc.constantFrom(
  'worker_id=w1&worker_id=w2',
  'limit=',
  '=',
  '&&&',
  'x',
  '%',
  'worker_id=%ff%fe',
  'limit=%zz',
  '__proto__[a]=1',
  'a=+%2B',
  'job_id=%00',
  `search=${'x'.repeat(5000)}`,
)
const someHeaders: fc.Arbitrary<Record<string, string>> = fc.constantFrom(
  {},
  { 'content-type': 'application/json' },
  { 'content-type': 'text/plain; charset=utf-16' },
  { 'content-type': 'multipart/form-data' },
  { 'content-type': '' },
  { 'content-encoding': 'gzip' },
  { 'content-length': '5' },
  { 'x-forwarded-for': '127.0.0.1', 'x-http-method-override': 'DELETE' },
  { 'x-long': 'x'.repeat(8000) },
)

function queryOf(input: Json, extra: string): string {
  const pairs = Object.entries(input ?? {}).map(([key, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return `${encodeURIComponent(key.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`
  })
  const all = [...pairs, ...(extra === '' ? [] : [extra])]
  return all.length === 0 ? '' : `?${all.join('&')}`
}

/** What an operation is asked with, or undefined when nothing could be made of the bytes. */
function inputOf(operation: Operation, sent: Sent): Record<string, unknown> | undefined {
  if (!isWellFormed(sent.query)) return undefined
  const query: Record<string, unknown> = {}
  for (const [key, value] of new URLSearchParams(sent.query)) {
    if (value !== '' && !Object.hasOwn(query, key)) Object.defineProperty(query, key, { value, enumerable: true })
  }
  if (routes[operation].method === 'GET') return query
  if ((sent.body?.length ?? 0) > maxBodyBytes) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(sent.body ?? new Uint8Array())
    const body: unknown = text.trim() === '' ? {} : JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...query, ...body } : undefined
  } catch {
    return undefined
  }
}

function isWellFormed(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** `/api/%6Aobs` is `/api/jobs`. */
function pathOf({ path }: Sent): string {
  const { pathname } = new URL(`http://master.test${path}`)
  return isWellFormed(pathname) ? decodeURIComponent(pathname) : pathname
}

async function send(master: TestMaster, { method, path, query, headers, body, isChunked }: Sent): Promise<Response> {
  const pieces = body === null ? null : isChunked ? new Blob([body]).stream() : body
  const length: Record<string, string> = body !== null && !isChunked ? { 'content-length': String(body.length) } : {}
  // As Bun's server gives it to the app: it has cut or refused what does not fit its length.
  const given = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length'))
  return master.app.request(`http://master.test${path}${query}`, {
    method,
    headers: { ...given, ...length },
    body: pieces,
  })
}

/** Judges one answer; gives what it was, for a count of all that was met. */
async function judge(sent: Sent, answer: Response): Promise<string> {
  const text = await answer.text()
  expect(answer.status).toBeLessThan(500)
  const operation = operations.find((known) => routes[known].path === pathOf(sent))
  const input = operation && answer.status !== 405 ? inputOf(operation, sent) : undefined
  const parsed = operation && input && v.safeParse(routes[operation].input, input)
  if (answer.ok) {
    if (operation === undefined) expect(plainPaths).toContain(pathOf(sent))
    else {
      expect(parsed?.issues ?? (parsed ? [] : ['nothing was understood'])).toEqual([])
      v.parse(routes[operation].reply, answer.status === 204 ? null : JSON.parse(text))
    }
    return '2xx'
  }
  expect(answer.status).toBeGreaterThanOrEqual(400)
  if (sent.method === 'HEAD') return String(answer.status)
  const { code, message } = JSON.parse(text) as { code: unknown; message: unknown }
  expect(isErrorCode(code)).toBe(true)
  expect(message).toBeString()
  expect(message).not.toBe('')
  if (answer.status === 400 && parsed && !parsed.success) {
    const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? '')
    for (const field of fields.slice(0, 20)) expect(message).toContain(field)
  }
  // Only who owns what, and what there is, may stand against input that the contract allows.
  if (parsed?.success && operation !== 'jobs') expect(answer.status).toBeOneOf([404, 409, 422])
  return String(answer.status)
}

/** A wait is answered after real seconds; other tests are about that. */
function mayWait({ query, body }: Sent): boolean {
  const waits = [
    new URLSearchParams(query).get('wait'),
    /"wait":"?([^,"}]*)/.exec(body === null ? '' : Buffer.from(body.subarray(0, 100_000)).toString())?.[1],
  ]
  return waits.some((wait) => wait !== undefined && wait !== null && Number(wait) > 0)
}

test(`whatever is asked, in ${runs} random sequences: what is refused is told why and changes nothing, and nothing breaks`, async () => {
  const { master, ids } = await prepared()
  using kept = opened(master)
  let before = kept.dump()
  const met = new Map<string, number>()
  const property = fc.asyncProperty(fc.array(aRequest(ids), { minLength: 1, maxLength: longest }), async (requests) => {
    for (const sent of requests.filter((one) => !mayWait(one))) {
      const kind = await judge(sent, await send(master, sent))
      met.set(kind, (met.get(kind) ?? 0) + 1)
      const after = kept.dump()
      if (kind !== '2xx') expect(after).toBe(before)
      before = after
    }
    expect((await master.app.request('/readyz')).status).toBe(200)
  })
  await fc.assert(property, parameters)
  if (seed !== undefined) console.log(Object.fromEntries(met))
  for (const { path, method, reply } of Object.values(routes)) {
    const ofOneJob: readonly string[] = [routes.job, routes.nextJob, routes.sourceMark, routes.sourceSum].map(
      (one) => one.path,
    )
    if (method !== 'GET' || ofOneJob.includes(path)) continue
    v.parse(reply, await (await master.app.request(path)).json())
  }
}, 60_000)

const request = (line: string, headers: readonly string[] = [], body = '') =>
  [line, 'host: x', ...headers, '', body].join('\r\n')
const json = 'content-type: application/json'
const post = `POST ${routes.fail.path} HTTP/1.1`

/** Bytes after which a server may wait for more for ever: it must serve others meanwhile. */
const unfinished: Record<string, string> = {
  nothing: '',
  'half a request line': 'GET /api/jo',
  'headers without an end': request('GET /api/jobs HTTP/1.1').trimEnd(),
  'a body shorter than its length': request(post, [json, 'content-length: 1000'], '{"job_id":'),
  'a body of no bytes': request(post, [json, 'content-length: 9007199254740991']),
  'a chunk that stops': request(post, [json, 'transfer-encoding: chunked'], 'ff\r\n{"job_id"'),
  'chunks without an end': request(post, [json, 'transfer-encoding: chunked'], '2\r\n{}\r\n'),
  'an expectation': request(post, [json, 'content-length: 10', 'expect: 100-continue']),
}

/** Whole requests that are none, or are too much: answered by what is no success (505 is Bun's own, for a version), or by a cut line. */
const rubbish: Record<string, string> = {
  'no HTTP': 'hello\r\n\r\n',
  'a TLS greeting': '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n',
  'control characters': request('G\u0000T /\u0001 HTTP/1.1'),
  'a version of its own': request('GET /api/jobs HTTP/9.9'),
  'a path without an end': request(`GET /${'x'.repeat(300_000)} HTTP/1.1`),
  'a header without an end': request('GET /api/nothing HTTP/1.1', [`x: ${'y'.repeat(300_000)}`]),
  'thousands of headers': request('GET /api/nothing HTTP/1.1', Array<string>(20_000).fill('x: y')),
  'a header without a name': request('GET /api/nothing HTTP/1.1', [': y', ' folded', 'no colon']),
  'two lengths': request(post, [json, 'content-length: 2', 'content-length: 3'], '{}'),
  'a negative length': request(post, [json, 'content-length: -5'], '{}'),
  'a length and chunks': request(post, [json, 'content-length: 2', 'transfer-encoding: chunked'], '0\r\n\r\n'),
  'a chunk of no number': request(post, [json, 'transfer-encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'),
  'a chunk of too many bytes': request(post, [json, 'transfer-encoding: chunked'], 'ffffffffffffffffff\r\n{}'),
  'a body in chunks that is too large': request(
    post,
    [json, 'transfer-encoding: chunked'],
    `10000\r\n${' '.repeat(0x10000)}\r\n`.repeat(20) + '0\r\n\r\n',
  ),
  'another protocol': request(
    'GET /api/nothing HTTP/1.1',
    ['connection: upgrade', 'upgrade: websocket'],
    '\u0081\u0085',
  ),
  'a proxy request': request('CONNECT example.org:443 HTTP/1.1'),
  'requests behind each other, then rubbish': `${request('GET /api/nothing HTTP/1.1').repeat(50)}\u0000\u0000rubbish\r\n\r\n`,
}

/** Writes bytes to a socket; `until` says when it has seen enough of the answer, and then the line is cut. */
function speak(port: number, bytes: string, until: 'written' | 'answered'): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1')
    const leave = () => socket.destroy()
    socket.on('connect', () => socket.write(bytes, 'latin1', until === 'written' ? leave : undefined))
    socket.on('data', (data) => {
      answer += data.toString('latin1')
      if (until === 'answered') leave()
    })
    // A server that cuts the line while we still write is in its right.
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

/** Holds sockets on which nothing more is said, until the function given has run. */
async function whileHeld(port: number, bytes: readonly string[], run: () => Promise<void>): Promise<void> {
  const sockets = await Promise.all(
    bytes.map(
      (text) =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => {
            if (text === '') resolve(socket)
            else socket.write(text, 'latin1', () => resolve(socket))
          })
          socket.on('error', () => resolve(socket))
        }),
    ),
  )
  try {
    await run()
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

test('through a real socket: half requests, rubbish and cut lines change nothing, and others are served meanwhile', async () => {
  const { master, ids } = await prepared()
  using kept = opened(master)
  const server = listen(master.app, { host: '127.0.0.1', port: 0 })
  const ask = async () => (await fetch(`${server.url}/api/job?job_id=${ids[0]}`)).status
  try {
    const before = kept.dump()
    await whileHeld(server.port, Object.values(unfinished), async () => expect(await ask()).toBe(200))
    for (const [name, bytes] of Object.entries(rubbish)) {
      const [answer, status] = await Promise.all([speak(server.port, bytes, 'answered'), ask()])
      const code = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 400)
      expect({ name, isRefused: (code >= 400 && code < 500) || code === 505, status }).toEqual({
        name,
        isRefused: true,
        status: 200,
      })
    }
    const whole = request(post, [json, 'content-length: 30'], '{"job_id":"x","worker_id":"w"}')
    const cuts = fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat(255), async (at, byte) => {
      await speak(server.port, whole.slice(0, at), 'written')
      await speak(server.port, whole.slice(0, at) + String.fromCharCode(byte) + whole.slice(at + 1), 'written')
    })
    await fc.assert(cuts, { ...parameters, numRuns: Math.min(runs, 100) })
    expect(await ask()).toBe(200)
    expect(kept.dump()).toBe(before)
  } finally {
    await server.stop()
  }
})
