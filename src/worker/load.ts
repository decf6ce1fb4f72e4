import { cpus, freemem, totalmem } from 'node:os'

/** Percent, 0 to 100. */
export interface Load {
  cpu_usage: number
  memory_usage: number
}

/** Measures the machine's load; each call tells of the time since the one before, the first of the time since boot. */
export function loadMeter(): () => Load {
  let before = { busy: 0, total: 0 }
  return () => {
    const now = cpuTime()
    const total = now.total - before.total
    const cpu_usage = total > 0 ? (100 * (now.busy - before.busy)) / total : 0
    before = now
    return { cpu_usage: percent(cpu_usage), memory_usage: percent(100 * (1 - freemem() / totalmem())) }
  }
}

/** Milliseconds that all cores together have spent, since boot. */
function cpuTime(): { busy: number; total: number } {
  const times = cpus().map((cpu) => cpu.times)
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.idle + time.irq, 0)
  const idle = times.reduce((sum, time) => sum + time.idle, 0)
  return { busy: total - idle, total }
}

function percent(value: number): number {
  return Math.round(Math.min(100, Math.max(0, value)) * 10) / 10
}
