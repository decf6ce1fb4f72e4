/** Looks in a stall timeout. They are counted, not the time between: a worker that was stopped itself must not accuse ffmpeg. */
const stallLooks = 8

/** A watchdog for `runProcess` that says yes once what it observes has stayed the same for so many milliseconds. */
export function stallWatch(timeoutMs: number, observe: () => string | Promise<string>) {
  let seen: string | undefined
  let sameLooks = 0
  return {
    interval_ms: Math.max(1, Math.ceil(timeoutMs / stallLooks)),
    isStalled: async () => {
      const now = await observe()
      sameLooks = now === seen ? sameLooks + 1 : 0
      seen = now
      return sameLooks >= stallLooks
    },
  }
}
