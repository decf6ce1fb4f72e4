import { readdir, readFile } from 'node:fs/promises'

/** A process as the system's table shows it. */
export interface ProcessRow {
  pid: number
  parent: number
  argv: string[]
}

/** What the workers over a folder have started: their environment leads there, and they are not the workers themselves. */
export async function toolsIn(folder: string): Promise<ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const rows = await Promise.all(pids.map(async (pid) => rowOf(pid, `DARKSTREAM_WORKER=${folder}`)))
  return rows.filter((row) => row !== undefined)
}

/** Whether it is an encode; what else runs reads a source or a result. */
export function isEncode({ argv }: ProcessRow): boolean {
  return argv.includes('-progress')
}

/** Whether it reads a result to its end. */
export function isVerification({ argv }: ProcessRow): boolean {
  return argv.includes('-count_packets')
}

/** Sends a signal to a process that may have ended. */
export function signalTo(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // ESRCH: it has ended by itself.
  }
}

async function rowOf(pid: string, mark: string): Promise<ProcessRow | undefined> {
  try {
    if (!(await readFile(`/proc/${pid}/environ`, 'utf8')).includes(`\0${mark}`)) return undefined
    const [line, stat] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    // proc_pid_stat(5): the name in parentheses, the state, the parent.
    const [state, parent] = stat.replace(/^.*\) /s, '').split(' ')
    return state === 'Z' ? undefined : { pid: Number(pid), parent: Number(parent), argv: line.split('\0') }
  } catch {
    return undefined
  }
}
