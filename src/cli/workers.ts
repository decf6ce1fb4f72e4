import { formatDuration } from '../util/format.ts'
import { answer, masterOf } from './ask.ts'
import { table } from './table.ts'
import type { CommandArgs } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const reply = await masterOf(args).workers({ active_only: args.flag('active-only') })
  answer(args, reply, () => {
    if (reply.workers.length === 0) return 'no workers\n'
    return table(
      ['id', 'status', 'jobs', 'cpu', 'memory', 'gpu', 'host', 'last heard'],
      reply.workers.map((worker) => [
        worker.id,
        worker.status,
        String(worker.active_jobs),
        `${Math.round(worker.cpu_usage)}%`,
        `${Math.round(worker.memory_usage)}%`,
        worker.gpu_name || 'none',
        worker.hostname,
        ago(worker.last_heartbeat),
      ]),
    )
  })
  return 0
}

function ago(timestamp: string | null): string {
  if (timestamp === null) return 'it left'
  return `${formatDuration(Math.max(0, Date.now() - Date.parse(timestamp)) / 1000)} ago`
}
