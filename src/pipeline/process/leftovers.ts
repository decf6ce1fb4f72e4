import { readdir, readFile } from 'node:fs/promises'

/** A mark in a process's environment, as given to `ProcessRequest.environment`. */
export interface ProcessMark {
  name: string
  value: string
}

/**
 * Kills what a dead worker's children left running: processes on Linux whose environment has the mark. The guard of
 * `runProcess` leaves none but in a race of microseconds; this is for that race. Gives how many it killed; elsewhere 0.
 */
export async function killLeftovers(mark: ProcessMark): Promise<number> {
  if (process.platform !== 'linux') return 0
  const entry = `${mark.name}=${mark.value}`
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const marked = await Promise.all(
    pids.map(async (pid) => pid !== process.pid && (await environmentOf(pid)).includes(entry)),
  )
  return pids.filter((pid, index) => marked[index] === true && killed(pid)).length
}

/** Empty for a process that is gone or another user's. */
async function environmentOf(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
  } catch {
    return []
  }
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
