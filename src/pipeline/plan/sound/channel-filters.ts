import type { AudioChannels } from '../../../contract/conversion.ts'
import type { AudioStream } from '../../probe/media-info.ts'
import { layoutChannels, trackChannels } from './channel-layouts.ts'
import { type Mix, mixChannels } from './mix-channels.ts'

/** What brings a track's channels into a layout of the encoder's. */
export interface ChannelPlan {
  /** The result's, as FFmpeg names it. */
  layout: string
  /** Channels of the result. */
  count: number
  /** In FFmpeg's grammar, one after the other; none where the layout stays. */
  filters: string[]
  /** What is lost by it, after `was`: `mixed from 5.1(side) to stereo`; null where nothing is. */
  loss: string | null
}

/** The most channels that each setting lets through. */
export const channelLimits: Record<AudioChannels, number> = { keep: 64, '5.1': 6, stereo: 2, mono: 1 }

/** Layouts that each encoder takes and every player knows, from small to large, with their number of channels. */
const encoderLayouts = {
  // AAC's channel configurations 1 to 7. The encoder takes others too, in a form that FFmpeg 5 and others cannot read.
  aac: { mono: 1, stereo: 2, '3.0': 3, '4.0': 4, '5.0': 5, '5.1': 6, '7.1': 8 },
  // libopus takes 5.0 and 6.1 too, and FFmpeg, 5.1 as 9.0, then puts their channels into the wrong order.
  libopus: { mono: 1, stereo: 2, '3.0': 3, quad: 4, '5.1': 6, '7.1': 8 },
} as const

/** Decides in which layout an encoder gets a track, no larger than the limit and with as little loss as can be. */
export function planChannels(
  { channels: count, channel_layout: layout }: AudioStream,
  encoder: keyof typeof encoderLayouts,
  limit: number,
): ChannelPlan {
  const allowed = Object.entries<number>(encoderLayouts[encoder]).filter(([, size]) => size <= limit)
  const source = trackChannels(layout, count)
  if (source === undefined) return firstChannels(count, allowed)
  const mix = mixChannels(
    source,
    allowed.map(([name]) => name),
  )
  const size = allowed.find(([name]) => name === mix.layout)?.[1] ?? 2
  const name = layout ?? `${count} channels`
  const hasBass = source.includes('LFE') && !mix.channels.some(({ parts }) => parts.some(({ from }) => from === 'LFE'))
  return {
    layout: mix.layout,
    count: size,
    filters: filtersFor(mix, source, layout),
    loss: mix.is_lossy ? `mixed from ${name} to ${mix.layout}${hasBass ? ', without the bass channel' : ''}` : null,
  }
}

/** Nobody knows what the channels are for, so none is mixed: as many as fit are kept. */
function firstChannels(count: number, allowed: [string, number][]): ChannelPlan {
  const [layout, size] = allowed.find(([, fits]) => fits >= count) ?? allowed.at(-1) ?? ['stereo', 2]
  const parts = Array.from({ length: Math.min(size, count) }, (_, channel) => `c${channel}=c${channel}`)
  return {
    layout,
    count: size,
    filters: [`pan=${[layout, ...parts].join('|')}`],
    loss: size < count ? `reduced to its first ${size} of ${count} channels, whose layout is not known` : null,
  }
}

/** A layout that only its decoder knows is left to FFmpeg, which will see it, where nothing is lost. */
function filtersFor(mix: Mix, source: readonly string[], layout: string | null): string[] {
  if (layout === null && !mix.is_lossy) return [`aformat=channel_layouts=${mix.layout}`]
  return layoutChannels(mix.layout)?.join() === source.join() ? [] : mixFilters(mix)
}

/**
 * `pan`, since what FFmpeg's own mixing does to the level depends on the version and on the format of the samples. Sums
 * may go beyond full scale: a limiter, which leaves all below it alone, keeps their peaks from being cut off.
 */
function mixFilters({ layout, channels }: Mix): string[] {
  const sums = channels.map(({ name, parts }) => {
    const terms = parts.map(({ from, share }) => (share === 1 ? from : `${Number(share.toFixed(4))}*${from}`))
    return `${name}=${terms.join('+')}`
  })
  const pan = `pan=${[layout, ...sums].join('|')}`
  const isLoud = channels.some(({ parts }) => parts.reduce((sum, { share }) => sum + share, 0) > 1.001)
  return isLoud ? ['aformat=sample_fmts=fltp', pan, 'alimiter=level=0:limit=0.95:latency=1'] : [pan]
}
