import { layoutChannels } from './channel-layouts.ts'

/** How the channels of a track become those of another layout. */
export interface Mix {
  /** FFmpeg's name of it. */
  layout: string
  /** What each of its channels is made of; none of it is silence. */
  channels: { name: string; parts: Part[] }[]
  /** Whether channels were added to one another, or have no place at all. What only moved does not count. */
  is_lossy: boolean
}

/** A channel of the source, by its name, and how much of it: 1 is all. */
export interface Part {
  from: string
  share: number
}

/** Two speakers, or one further away, that get half the power each. */
const half = Math.SQRT1_2

/**
 * Where the sound of a channel goes in a layout that lacks it: to the first of these groups that is there. The shares are
 * those of ITU-R BS.775, which keep the loudness. Bass has no place among other channels there.
 */
const places: Record<string, [channels: string, share: number][]> = {
  ...sides('BL', [
    ['SL', 1],
    ['BC', half],
    ['FL', half],
    ['FC', 0.5],
  ]),
  ...sides('SL', [
    ['BL', 1],
    ['BC', half],
    ['FL', half],
    ['FC', 0.5],
  ]),
  ...sides('FL', [['FC', half]]),
  ...sides('FLC', [
    ['FL FC', half],
    ['FL', 1],
    ['FC', half],
  ]),
  ...sides('WL', [
    ['FL SL', half],
    ['FL BL', half],
    ['FL', half],
    ['FC', 0.5],
  ]),
  ...sides('TFL', [
    ['FL', half],
    ['FC', 0.5],
  ]),
  ...sides('BFL', [
    ['FL', half],
    ['FC', 0.5],
  ]),
  ...sides('TSL', [
    ['SL', half],
    ['BL', half],
    ['FL', 0.5],
    ['FC', 0.5],
  ]),
  ...sides('TBL', [
    ['BL', half],
    ['SL', half],
    ['FL', 0.5],
    ['FC', 0.5],
  ]),
  ...sides('DL', [
    ['FL', 1],
    ['FC', half],
  ]),
  ...sides('BIL', [
    ['FL', 1],
    ['FC', half],
  ]),
  FC: [['FL FR', half]],
  BC: [
    ['BL BR', half],
    ['SL SR', half],
    ['FL FR', 0.5],
    ['FC', 0.5],
  ],
  TC: [
    ['FL FR', 0.5],
    ['FC', 0.5],
  ],
  TFC: [
    ['FC', half],
    ['FL FR', 0.5],
  ],
  BFC: [
    ['FC', half],
    ['FL FR', 0.5],
  ],
  TBC: [
    ['BL BR', 0.5],
    ['SL SR', 0.5],
    ['FL FR', 0.5],
    ['FC', 0.5],
  ],
  LFE2: [['LFE', half]],
}

/** The same for a channel on the left and its like on the right. */
function sides(left: string, groups: [channels: string, share: number][]): typeof places {
  const mirrored = groups.map(([channels, share]): [string, number] => [
    channels.split(' ').map(right).join(' '),
    share,
  ])
  return { [left]: groups, [right(left)]: mirrored }
}

function right(left: string): string {
  return left.replace(/L(C?)$/, 'R$1')
}

/**
 * Brings a track into the first of these layouts, from small to large, that has a place of its own for each channel: new
 * channels are silent. Where none has, into the last, mixed.
 */
export function mixChannels(source: readonly string[], layouts: readonly string[]): Mix {
  const mixes = layouts.map((layout) => mixInto(source, layout))
  return mixes.find(({ is_lossy }) => !is_lossy) ?? mixes.at(-1) ?? mixInto(source, 'stereo')
}

function mixInto(source: readonly string[], layout: string): Mix {
  const target = layoutChannels(layout) ?? []
  const placed = source.map((from) => ({ from, groups: placesOf(from, source, target) }))
  const channels = target.flatMap((name) => {
    const parts = placed.flatMap(({ from, groups }) =>
      groups.channels.includes(name) ? [{ from, share: groups.share }] : [],
    )
    return parts.length === 0 ? [] : [{ name, parts }]
  })
  const isHomeless = placed.some(({ groups }) => groups.channels.length === 0)
  return { layout, channels, is_lossy: isHomeless || channels.some(({ parts }) => parts.length > 1) }
}

function placesOf(channel: string, source: readonly string[], target: readonly string[]) {
  // What film discs call the back is beside the listener where there is another channel behind him.
  const isBeside = source.includes('BC') && !source.includes('SL') && target.includes('SL')
  if (isBeside && (channel === 'BL' || channel === 'BR')) return { channels: [`S${channel.slice(1)}`], share: 1 }
  if (target.includes(channel)) return { channels: [channel], share: 1 }
  for (const [names, share] of places[channel] ?? []) {
    const channels = names.split(' ')
    if (channels.every((name) => target.includes(name))) return { channels, share }
  }
  return { channels: [], share: 0 }
}
