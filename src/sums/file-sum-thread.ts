import { closeSync, openSync, readSync } from 'node:fs'

/** `path` begins a sum, `to` tells how far the file may be read by now, and is its end where `is_end`; neither drops it. */
export type SumRequest = { id: number; path: string; from: number } | { id: number; to: number; is_end: boolean } | Drop
export type SumReply = { id: number; sum: string } | { id: number; error: string }
type Drop = { id: number }

declare const self: Worker

const buffer = new Uint8Array(1 << 20)
const sums = new Map<number, { file: number; at: number; to: number; is_end: boolean; hash: Bun.CryptoHasher }>()

self.addEventListener('message', ({ data }: MessageEvent<SumRequest>) => attempt(data.id, () => take(data)))

function take(request: SumRequest): void {
  const { id } = request
  if ('path' in request) {
    const { path, from } = request
    const hash = new Bun.CryptoHasher('sha256')
    sums.set(id, { file: openSync(path, 'r'), at: from, to: from, is_end: false, hash })
  } else if ('to' in request) {
    const sum = sums.get(id)
    const isRunning = sum !== undefined && sum.at < sum.to
    Object.assign(sum ?? {}, { to: request.to, is_end: request.is_end })
    if (!isRunning) readOn(id)
  } else drop(id)
}

/** A buffer's worth, then the others have their turn. */
function readOn(id: number): void {
  const sum = sums.get(id)
  if (sum === undefined) return
  const length = Math.min(buffer.length, sum.to - sum.at)
  const read = length > 0 ? readSync(sum.file, buffer, 0, length, sum.at) : 0
  if (length > 0 && read === 0) throw new Error(`the file ends at byte ${sum.at}`)
  sum.hash.update(buffer.subarray(0, read))
  sum.at += read
  if (sum.at < sum.to) setImmediate(() => attempt(id, () => readOn(id)))
  else if (sum.is_end) reply({ id, sum: sum.hash.digest('hex') })
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
