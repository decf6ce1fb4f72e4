/** `setTimeout` takes a longer one for 1 ms. */
const maxTimerMs = 2 ** 31 - 1

/** What a loop rests on until there is something to do. A wake that comes before the rest is not lost. */
export class Wake {
  #called = false
  #end: (() => void) | undefined

  wake(): void {
    this.#called = true
    this.#end?.()
  }

  /** Resolves after `ms` (Infinity: never by time), at a wake, or when the signal aborts; never rejects. */
  async rest(ms: number, signal: AbortSignal): Promise<void> {
    let remaining = ms
    while (remaining > 0 && !this.#called && !signal.aborted) {
      const part = Math.min(remaining, maxTimerMs)
      await this.#restOnce(part, signal)
      remaining -= part
    }
    this.#called = false
  }

  #restOnce(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#end = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end, { once: true })
      this.#end = end
    })
  }
}
