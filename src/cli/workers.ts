import { DarkstreamError } from '../contract/error.ts'
import type { Api } from '../contract/api.ts'
import type { GpuState } from '../contract/gpu.ts'
import type { WorkerView } from '../contract/worker.ts'
import { formatDuration, printable } from '../util/format.ts'
import { asideText } from '../master/worker-views.ts'
import { actOnEach } from './act.ts'
import { answer, masterOf } from './ask.ts'
import { capabilityLines, cardsText, engineParts, figureTable, setAsideLines, unusedReason } from './gpu-text.ts'
import { deepTree, table } from './table.ts'
import { type CommandArgs, UsageError } from './usage.ts'

/** An act only with ids after it: by itself it is the id of a worker as any other. */
const resumeWord = 'resume'

export async function run(args: CommandArgs): Promise<number> {
  const [worker_id, ...others] = args.positionals
  if (worker_id === resumeWord && others.length > 0) return resume(masterOf(args), others)
  if (others.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(others[0])}`)
  const reply = await masterOf(args).workers({ active_only: worker_id === undefined && args.flag('active-only') })
  if (worker_id === undefined) {
    answer(args, reply, () => listText(reply.workers, Date.now()))
    return 0
  }
  const worker = reply.workers.find(({ id }) => id === worker_id)
  if (!worker) throw notFound(worker_id)
  answer(args, worker, () => workerText(worker, Date.now()))
  return 0
}

function resume(master: Api, worker_ids: readonly string[]): Promise<number> {
  return actOnEach(worker_ids, (worker_id) => master.resumeWorker({ worker_id }))
}

function notFound(worker_id: string): Error {
  if (worker_id === resumeWord) return new UsageError('workers resume needs the id of a worker')
  return new DarkstreamError('not_found', `there is no worker ${worker_id}`)
}

/** The workers, a line each, and below them why one is given no jobs. */
export function listText(workers: readonly WorkerView[], now_ms: number): string {
  if (workers.length === 0) return 'no workers\n'
  const aside = workers.flatMap(({ id, set_aside, obstacle }) => [
    ...(set_aside ? [`${id} is ${asideText(set_aside)}`] : []),
    ...(obstacle ? [`${id} takes no jobs: ${obstacle}`] : []),
  ])
  const list = table(
    ['id', 'status', 'jobs', 'cpu', 'memory', 'gpu', 'host', 'last heard'],
    workers.map((worker) => [
      worker.id,
      worker.status,
      String(worker.active_jobs),
      `${Math.round(worker.cpu_usage)}%`,
      `${Math.round(worker.memory_usage)}%`,
      gpuText(worker),
      worker.hostname,
      ago(worker.last_heartbeat, now_ms),
    ]),
  )
  return [list, ...(aside.length === 0 ? [] : ['\n']), ...aside.map((line) => `${printable(line)}\n`)].join('')
}

/** A worker with all that it tells of its GPUs. */
export function workerText(worker: WorkerView, now_ms: number): string {
  const { gpu_report } = worker
  const list = listText([worker], now_ms)
  if (gpu_report === null) return `${list}\nit tells nothing of GPUs\n`
  const figures = figureTable(gpu_report.figures)
  return [
    list,
    `\nffmpeg.gpu: ${gpu_report.mode}\n`,
    ...[unusedReason(gpu_report) ?? []].flat().map((line) => `${printable(line)}\n`),
    `\nGPUs: ${gpu_report.gpus.length}\n${deepTree(gpu_report.gpus.map(gpuEntry))}`,
    figures === '' ? '' : `\nMeasured:\n${figures}`,
  ].join('')
}

function gpuText({ gpu_name, gpu_usage, gpu_report }: WorkerView): string {
  if (gpu_report !== null && gpu_report.gpus.length > 0) return cardsText(gpu_report)
  if (gpu_name === '') return 'none'
  return gpu_usage === null ? gpu_name : `${gpu_name} ${Math.round(gpu_usage)}%`
}

function gpuEntry(gpu: GpuState): { line: string; lines: string[] } {
  const { usage, memory_usage } = gpu
  const use = [
    usage === null ? [] : [`${Math.round(usage)}%`],
    engineParts(gpu),
    memory_usage === null ? [] : [`memory ${Math.round(memory_usage)}%`],
  ].flat()
  const lines = [
    ...(gpu.driver_version === '' ? [] : [`Driver: ${gpu.driver_version}`]),
    ...(gpu.pci_address === null ? [] : [`PCI: ${gpu.pci_address}`]),
    ...(use.length === 0 ? [] : [`Use: ${use.join(', ')}`]),
    `Conversions: ${gpu.active_jobs} of ${gpu.slots} at a time`,
    ...(gpu.decode_slots === 0 ? [] : [`Decodes side by side: ${gpu.decode_slots}`]),
    ...(gpu.set_aside === null ? [] : setAsideLines({ gpus: [gpu] })),
    ...capabilityLines(gpu),
  ]
  return { line: `${gpu.name} (${gpu.id})`, lines }
}

function ago(timestamp: string | null, now_ms: number): string {
  if (timestamp === null) return 'it left'
  return `${formatDuration(Math.max(0, now_ms - Date.parse(timestamp)) / 1000)} ago`
}
