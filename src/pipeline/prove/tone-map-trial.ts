import type { Gpu } from '../../contract/gpu.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'
import { smallSize, testSize, testSource, trialPlan } from './trial-plan.ts'

const frames = 3
/** BT.2020's PQ, untagged until a filter says so. */
const color = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
/** Half of PQ's scale is 92 cd/m², which SDR shows as 174 of 255 where 203 are white; what is not tone-mapped stays at 126. */
const greyBrightness = { least: 150, most: 195 }
/** Of the colours of the moving picture, as `signalstats` counts them; a picture without any has 0. */
const leastSaturation = 20
/** Brightness of a moving picture between its darkest and its lightest part; a broken one is flat, or has holes at 0. */
const leastSpread = 60

/** Tone-maps a grey and a moving test picture on a GPU, and looks at how bright and colourful they came out; why it failed, or null. */
export async function tryToneMapping(setting: TrialSetting, gpu: Gpu): Promise<string | null> {
  const grey = await measured(setting, gpu, `color=gray:size=${testSize.width}x${testSize.height}:rate=25`)
  if (typeof grey === 'string') return grey
  const isGrey = grey.YMIN >= greyBrightness.least && grey.YMAX <= greyBrightness.most && grey.SATMAX < leastSaturation
  if (!isGrey) return `grey came out wrong (${Math.round(grey.YMIN)} to ${Math.round(grey.YMAX)})`
  const moving = await measured(setting, gpu, testSource(testSize))
  if (typeof moving === 'string') return moving
  const isAlive = moving.SATAVG >= leastSaturation && moving.YHIGH - moving.YLOW >= leastSpread
  return isAlive ? null : 'the picture came out wrong'
}

const names = ['YMIN', 'YLOW', 'YHIGH', 'YMAX', 'SATAVG', 'SATMAX'] as const
type Statistics = Record<(typeof names)[number], number>

/** What `signalstats` says of the last frame, or why there is none. */
async function measured(setting: TrialSetting, gpu: Gpu, source: string): Promise<Statistics | string> {
  const picture = { ...testSize, pixel_format: 'yuv420p10le', bit_depth: 10, color }
  const path = { decode: 'cpu', filter: 'vulkan' } as const
  const { video } = trialPlan({ gpu, path, picture, codec: 'h264', size: smallSize })
  const hdr = 'setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc'
  const filters = ['format=yuv420p10le', hdr, ...video.filters, 'signalstats', 'metadata=print']
  const { reason, result } = await trial(setting, {
    what: 'tone mapping',
    args: [
      [...video.device, '-f', 'lavfi', '-i', source, '-frames:v', String(frames)],
      ['-filter:v', filters.join(','), '-f', 'null', '-'],
    ].flat(),
    timeout_ms: trialTimeoutMs,
    level: 'info',
  })
  if (reason !== null) return reason
  const log = result?.stderr_tail ?? ''
  const found = names.map((name) => [
    name,
    Number(
      log
        .match(RegExp(`signalstats\\.${name}=([\\d.]+)`, 'g'))
        ?.at(-1)
        ?.split('=')[1],
    ),
  ])
  const statistics = Object.fromEntries(found) as Statistics
  return names.some((name) => Number.isNaN(statistics[name])) ? 'ffmpeg told nothing of the picture' : statistics
}
