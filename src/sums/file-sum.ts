import type { SumReply, SumRequest } from './file-sum-thread.ts'

/** A SHA-256 that grows with its file, computed in another thread. */
export interface FileSum {
  /** So many bytes are in the file by now. */
  grow: (to: number) => void
  /** The sum, hex, of the bytes from where it began to this one. Rejects when they cannot be read. */
  end: (to: number) => Promise<string>
  close: () => void
}

/** Two, so that the sum of a part need not wait for that of a whole file. */
const threads: Worker[] = []
const waiting = new Map<number, PromiseWithResolvers<string>>()
let lastId = 0

/** Begins a sum at a byte of a file, which must be there. */
export function openSum(path: string, from = 0): FileSum {
  const id = ++lastId
  const thread = (threads[id % 2] ??= startThread())
  const ended = Promise.withResolvers<string>()
  // Whoever does not ask for it need not hear why there is none.
  ended.promise.catch(() => {})
  waiting.set(id, ended)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have none
  const tell = (request: SumRequest) => thread.postMessage(request)
  tell({ id, path, from })
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

/** The SHA-256, hex, of a file's bytes from `from` to `to`. */
export async function sumOf(path: string, from: number, to: number): Promise<string> {
  const sum = openSum(path, from)
  return sum.end(to).finally(() => sum.close())
}

function startThread(): Worker {
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
  return thread
}
