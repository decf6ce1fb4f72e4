import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'

export type Algorithm = 'sha256' | 'crc32'

/** `path` begins a sum, `to` tells how far the file may be read by now, and is its end where `is_end`; neither drops it. */
export type SumRequest = Beginning | { id: number; to: number; is_end: boolean } | { id: number }
export type SumReply = { id: number; sum: string } | { id: number; error: string }

interface Beginning {
  id: number
  path: string
  from: number
  algorithm: Algorithm
  /** Bytes that are not there yet are waited for. */
  is_growing: boolean
}

interface Sum extends Pick<Beginning, 'is_growing'> {
  file: number
  at: number
  to: number
  is_end: boolean
  /** Whether there is a turn to come in which it reads on. */
  is_running: boolean
  pause_ms: number
  hash: { update: (bytes: Uint8Array) => void; digest: () => string }
}

declare const self: Worker

/** Milliseconds until a file that does not grow is looked at again: at once when bytes come fast, seldom when they do not. */
const [leastPauseMs, mostPauseMs] = [1, 64]
/** Small enough to stay in a core's cache between being read and being summed. */
const buffer = new Uint8Array(256 * 1024)
const buffersATurn = 16
const sums = new Map<number, Sum>()

self.addEventListener('message', ({ data }: MessageEvent<SumRequest>) => attempt(data.id, () => take(data)))

function take(request: SumRequest): void {
  const { id } = request
  if ('path' in request) {
    const { path, from, algorithm, is_growing } = request
    const [file, hash] = [openSync(path, 'r'), algorithm === 'crc32' ? crc() : sha256()]
    sums.set(id, {
      file,
      hash,
      at: from,
      to: from,
      is_end: false,
      is_growing,
      is_running: false,
      pause_ms: leastPauseMs,
    })
  } else if ('to' in request) {
    const sum = sums.get(id)
    if (sum === undefined) return
    Object.assign(sum, { to: request.to, is_end: request.is_end })
    if (!sum.is_running) readOn(id)
  } else drop(id)
}

/** Some buffers' worth, then the others have their turn. */
function readOn(id: number): void {
  const sum = sums.get(id)
  if (sum === undefined) return
  let read = 0
  for (let turn = 0; turn < buffersATurn && sum.at < sum.to; turn++) {
    read = readSync(sum.file, buffer, 0, Math.min(buffer.length, sum.to - sum.at), sum.at)
    if (read === 0) break
    sum.hash.update(buffer.subarray(0, read))
    sum.at += read
  }
  sum.is_running = sum.at < sum.to
  if (!sum.is_running) return sum.is_end ? reply({ id, sum: sum.hash.digest() }) : undefined
  if (read === 0 && !sum.is_growing) throw new Error(`the file ends at byte ${sum.at}`)
  const next = () => attempt(id, () => readOn(id))
  if (read > 0) setImmediate(next)
  else setTimeout(next, sum.pause_ms)
  sum.pause_ms = read > 0 ? leastPauseMs : Math.min(sum.pause_ms * 2, mostPauseMs)
}

function sha256(): Sum['hash'] {
  const hash = new Bun.CryptoHasher('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') }
}

function crc(): Sum['hash'] {
  let value = 0
  return {
    update(bytes) {
      value = crc32(bytes, value)
    },
    digest: () => value.toString(16).padStart(8, '0'),
  }
}

function attempt(id: number, act: () => void): void {
  try {
    act()
  } catch (error) {
    reply({ id, error: (error as Error).message })
  }
}

function reply(message: SumReply): void {
  postMessage(message)
  drop(message.id)
}

function drop(id: number): void {
  const sum = sums.get(id)
  sums.delete(id)
  if (sum) closeSync(sum.file)
}
