import type { Algorithm, SumReply, SumRequest } from './file-sum-thread.ts'

/** A sum that grows with its file, computed in another thread. */
export interface FileSum {
  /** So many bytes are in the file by now. */
  grow: (to: number) => void
  /** The sum, hex, of the bytes from where it began to this one. Rejects when they cannot be read. */
  end: (to: number) => Promise<string>
  close: () => void
}

export interface SumOptions {
  /** The byte it begins with; 0 unless told. */
  from?: number
  /** SHA-256 unless told. */
  algorithm?: Algorithm
  /** Whether bytes that it is told of may still be on their way into the file: they are waited for until it is closed. */
  is_growing?: boolean
}

/** One for each algorithm, so that a sum that is cheap need not wait for one that is not. */
const threads = new Map<Algorithm, Worker>()
const waiting = new Map<number, PromiseWithResolvers<string>>()
let lastId = 0

/** Begins a sum of a file, which must be there. */
export function openSum(path: string, options: SumOptions = {}): FileSum {
  const { from = 0, algorithm = 'sha256', is_growing = false } = options
  const id = ++lastId
  const thread = threads.get(algorithm) ?? startThread(algorithm)
  const ended = Promise.withResolvers<string>()
  // Whoever does not ask for it need not hear why there is none.
  ended.promise.catch(() => {})
  waiting.set(id, ended)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have none
  const tell = (request: SumRequest) => thread.postMessage(request)
  tell({ id, path, from, algorithm, is_growing })
  return {
    grow: (to) => tell({ id, to, is_end: false }),
    end(to) {
      tell({ id, to, is_end: true })
      return ended.promise
    },
    close() {
      waiting.delete(id)
      ended.reject(new Error('the sum was given up'))
      tell({ id })
    },
  }
}

/** The sum, hex, of a file's bytes from `from` to `to`. */
export async function sumOf(path: string, from: number, to: number, algorithm: Algorithm = 'sha256'): Promise<string> {
  const sum = openSum(path, { from, algorithm })
  return sum.end(to).finally(() => sum.close())
}

function startThread(algorithm: Algorithm): Worker {
  // In the executable, the thread is a file of its own beside the folder's name; all else is in one.
  const isCompiled = /[$~]bun/i.test(import.meta.url)
  const path = isCompiled ? './sums/file-sum-thread.js' : './file-sum-thread.ts'
  const thread = new Worker(new URL(path, import.meta.url), { smol: true })
  thread.unref()
  thread.addEventListener('message', ({ data }: MessageEvent<SumReply>) => {
    const ended = waiting.get(data.id)
    if ('sum' in data) ended?.resolve(data.sum)
    else ended?.reject(new Error(data.error))
  })
  threads.set(algorithm, thread)
  return thread
}
