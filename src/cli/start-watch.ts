import { type Pulse, sleep } from '../util/clock.ts'
import type { Master } from './build-master.ts'
import type { StartDisplay } from './start-display.ts'

/** Milliseconds between two pictures of the moment, and between two looks at whether all is done. */
const tickMs = 500

/** Draws until the signal, or, with `once`, until nothing is left to do. */
export async function watch(
  master: Master,
  display: StartDisplay,
  { once, pulse, signal }: { once: boolean; pulse: Pulse; signal: AbortSignal },
): Promise<void> {
  let isScanned = false
  const scanned = async () => {
    await master.scanner.whenSettled(signal)
    isScanned = true
    pulse.beat()
  }
  if (once) void scanned()
  let drawnAt = 0
  while (!signal.aborted) {
    const next = pulse.next()
    const { by_status, awaiting_retry } = await master.store.totals()
    if (isScanned && by_status.pending + by_status.processing + awaiting_retry === 0) return
    if (display.isLive && performance.now() - drawnAt >= tickMs) {
      drawnAt = performance.now()
      await drawNow(master, display)
    }
    await sleep(tickMs, AbortSignal.any([signal, next]))
  }
}

async function drawNow(master: Master, display: StartDisplay): Promise<void> {
  const { api } = master.coordinator
  const [stats, running] = await Promise.all([api.stats({}), api.jobs({ status: 'processing', limit: 64 })])
  display.draw(stats, running.jobs)
}
