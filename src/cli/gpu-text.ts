import {
  type Gpu,
  type GpuCapability,
  type GpuReport,
  type GpuState,
  type PathFigure,
  pathText,
} from '../contract/gpu.ts'
import { rankFigures } from '../pipeline/plan/video/rank-paths.ts'
import { formatSetAside } from '../util/format.ts'
import { table } from './table.ts'

const titles = { encode: 'Encoding', decode: 'Decoding', filter: 'Filtering' } as const
const codecNames: Record<string, string> = {
  h264: 'H.264',
  hevc: 'H.265',
  av1: 'AV1',
  vp9: 'VP9',
  ffv1: 'FFV1',
  prores: 'ProRes',
}

/**
 * What a GPU was tried at, a line each for encoding, decoding and filtering: what it has proved, at which bit depths, and
 * what it has not and why. `Encoding: H.264, H.265 (proved: H.264 8 bit, H.265 8 and 10 bit; AV1 8 bit: no encode queue)`
 */
export function capabilityLines({ capabilities }: Pick<Gpu, 'capabilities'>): string[] {
  return (['encode', 'decode', 'filter'] as const).flatMap((operation) => {
    const tried = capabilities.filter((capability) => capability.operation === operation)
    return tried.length === 0 ? [] : [`${titles[operation]}: ${triedText(tried)}`]
  })
}

function triedText(tried: readonly GpuCapability[]): string {
  const proved = tried.filter((capability) => capability.proved)
  const refused = Map.groupBy(
    tried.filter((capability) => !capability.proved),
    (capability) => capability.reason ?? 'no reason given',
  )
  const reasons = [...refused].map(([reason, those]) => `${withDepths(those)}: ${reason}`)
  if (proved.length === 0) return `none: ${refused.size === 1 ? [...refused.keys()].join() : reasons.join('; ')}`
  const names = [...new Set(proved.map(nameOf))].join(', ')
  const refusals = reasons.length === 0 ? '' : `; not ${reasons.join('; not ')}`
  return `${names} (proved: ${withDepths(proved)}${refusals})`
}

/** `H.264 8 bit, H.265 8 and 10 bit` */
function withDepths(capabilities: readonly GpuCapability[]): string {
  return [...Map.groupBy(capabilities, nameOf)]
    .map(([name, those]) => {
      const depths = [...new Set(those.map((capability) => capability.bit_depth))].toSorted((a, b) => a - b)
      return depths.includes(0) ? name : `${name} ${depths.join(' and ')} bit`
    })
    .join(', ')
}

/** Of the codec as people know it; a filter takes any codec and goes by its own name. */
function nameOf({ codec, by }: GpuCapability): string {
  return codec === null ? by : (codecNames[codec] ?? codec)
}

/**
 * Measured paths as a table: those of one kind of source and result together, the best first and marked so.
 * Empty when nothing was measured.
 */
export function figureTable(figures: readonly PathFigure[]): string {
  if (figures.length === 0) return ''
  const kinds = Map.groupBy(figures, (figure) => `${sourceText(figure)} to ${figure.codec}`)
  const rows = [...kinds].flatMap(([kind, those]) =>
    rankFigures(those).map((figure, index) => [kind, ...figureCells(figure), remark(figure, index === 0)]),
  )
  return table(
    ['from and to', 'ran on', 'gpu', 'side by side', 'fps each', 'start', 'CPU ms/frame', ''],
    rows.map((row, index) => (row[0] === rows[index - 1]?.[0] ? ['', ...row.slice(1)] : row)),
  )
}

function figureCells(figure: PathFigure): string[] {
  const { gpu_id, processes, fps, start_ms, cpu_ms_per_frame } = figure
  const speed = fps === null ? '-' : fps.toFixed(fps < 10 ? 1 : 0)
  const start = start_ms === null ? '-' : `${(start_ms / 1000).toFixed(1)} s`
  return [pathText(figure), gpu_id ?? '-', String(processes), speed, start, cpu_ms_per_frame?.toFixed(2) ?? '-']
}

function remark({ fps, reason }: PathFigure, isFirst: boolean): string {
  if (fps === null) return `failed: ${reason ?? 'no reason given'}`
  return isFirst ? 'best' : ''
}

/** `H.265 10 bit uhd` */
function sourceText({ source_codec, bit_depth, size_class, is_tone_mapped }: PathFigure): string {
  return `${codecNames[source_codec] ?? source_codec} ${bit_depth} bit ${size_class}${is_tone_mapped ? ' HDR' : ''}`
}

/** `NVIDIA H200 87%, NVIDIA L4`: each card once, though ffmpeg may reach it by several APIs, with its use where it tells. */
export function cardsText({ gpus }: GpuReport): string {
  const known = new Set(gpus.flatMap((gpu) => (gpu.pci_address === null ? [] : [gpu.name])))
  const cards = Map.groupBy(
    gpus.filter((gpu) => gpu.pci_address !== null || !known.has(gpu.name)),
    (gpu) => gpu.pci_address ?? gpu.name,
  )
  return [...cards.values()]
    .map((those) => {
      const usage = busiest(those)?.usage ?? null
      return `${those[0]?.name}${usage === null ? '' : ` ${Math.round(usage)}%`}`
    })
    .join(', ')
}

/** The GPU with the highest use; undefined when none tells. */
export function busiest(gpus: readonly GpuState[]): GpuState | undefined {
  return gpus.filter((gpu) => gpu.usage !== null).toSorted((a, b) => (b.usage ?? 0) - (a.usage ?? 0))[0]
}

/** `encoder 40%`, `decoder 12%`; what the driver does not tell is left out. */
export function engineParts(gpu: Pick<GpuState, 'encoder_usage' | 'decoder_usage'>): string[] {
  const engines = { encoder: gpu.encoder_usage, decoder: gpu.decoder_usage }
  return Object.entries(engines).flatMap(([name, usage]) => (usage === null ? [] : [`${name} ${Math.round(usage)}%`]))
}

/** `GPU NVIDIA H200 set aside for 2 minutes after 3 failures: the driver hung`, a line for each that is. */
export function setAsideLines({ gpus }: Pick<GpuReport, 'gpus'>): string[] {
  return gpus.flatMap((gpu) => {
    if (gpu.set_aside === null) return []
    const isOnly = gpus.filter((other) => other.name === gpu.name).length === 1
    const name = `${gpu.name}${isOnly ? '' : ` (${gpu.id})`}`
    return [`GPU ${name} ${formatSetAside(gpu.set_aside.seconds_left, gpu.set_aside)}`]
  })
}

/** Why a worker that is to use GPUs uses none; undefined when it does, or need not. */
export function unusedReason({ mode, problem }: GpuReport): string | undefined {
  return mode === 'off' || problem === null ? undefined : `no GPU is used: ${problem}`
}
