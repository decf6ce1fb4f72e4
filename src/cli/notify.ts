import { runProcess } from '../pipeline/process.ts'
import type { Log } from '../util/log.ts'

const notifyTimeoutMs = 10_000

/** What a service manager is told of this process. */
export interface Notifier {
  /** That it serves now; from here on the watchdog is fed as long as `isWell` says yes. */
  ready: () => void
  /** That it ends. */
  stopping: () => void
}

/**
 * Speaks to systemd where that started us and waits for it: `NOTIFY_SOCKET` and `WATCHDOG_USEC` of sd_notify(3), through
 * systemd-notify, since the runtime has no datagram sockets of that kind. Elsewhere it does nothing.
 */
export function systemdNotifier(
  environment: Record<string, string | undefined>,
  log: Log,
  isWell: () => Promise<boolean>,
): Notifier {
  if (!environment['NOTIFY_SOCKET']) return { ready: () => {}, stopping: () => {} }
  let timer: Timer | undefined
  return {
    ready() {
      void tell('READY=1')
      const watchdogMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000
      if (watchdogMs > 0) timer = setInterval(() => void feed(), watchdogMs / 3)
    },
    stopping() {
      clearInterval(timer)
      void tell('STOPPING=1')
    },
  }

  async function feed(): Promise<void> {
    if (await isWell().catch(() => false)) await tell('WATCHDOG=1')
  }

  async function tell(state: string): Promise<void> {
    const limit = { timeout_ms: notifyTimeoutMs, signal: AbortSignal.timeout(notifyTimeoutMs) }
    try {
      const { exit_code, stderr_tail } = await runProcess({ argv: ['systemd-notify', state], environment, ...limit })
      if (exit_code !== 0) log.warn(`systemd was not told ${state}: ${stderr_tail.trim()}`)
    } catch (error) {
      log.warn(`systemd was not told ${state}: ${(error as Error).message}`)
    }
  }
}
