/** FFmpeg's standard layouts by name, with their channels in the order in which samples lie. The same from 5.1 to 9.0. */
const layouts: Record<string, string> = {
  mono: 'FC',
  stereo: 'FL FR',
  '2.1': 'FL FR LFE',
  '3.0': 'FL FR FC',
  '3.0(back)': 'FL FR BC',
  '4.0': 'FL FR FC BC',
  quad: 'FL FR BL BR',
  'quad(side)': 'FL FR SL SR',
  '3.1': 'FL FR FC LFE',
  '5.0': 'FL FR FC BL BR',
  '5.0(side)': 'FL FR FC SL SR',
  '4.1': 'FL FR FC LFE BC',
  '5.1': 'FL FR FC LFE BL BR',
  '5.1(side)': 'FL FR FC LFE SL SR',
  '6.0': 'FL FR FC BC SL SR',
  '6.0(front)': 'FL FR FLC FRC SL SR',
  '3.1.2': 'FL FR FC LFE TFL TFR',
  hexagonal: 'FL FR FC BL BR BC',
  '6.1': 'FL FR FC LFE BC SL SR',
  '6.1(back)': 'FL FR FC LFE BL BR BC',
  '6.1(front)': 'FL FR LFE FLC FRC SL SR',
  '7.0': 'FL FR FC BL BR SL SR',
  '7.0(front)': 'FL FR FC FLC FRC SL SR',
  '7.1': 'FL FR FC LFE BL BR SL SR',
  '7.1(wide)': 'FL FR FC LFE BL BR FLC FRC',
  '7.1(wide-side)': 'FL FR FC LFE FLC FRC SL SR',
  '5.1.2': 'FL FR FC LFE SL SR TFL TFR',
  '5.1.2(back)': 'FL FR FC LFE BL BR TFL TFR',
  octagonal: 'FL FR FC BL BR BC SL SR',
  cube: 'FL FR BL BR TFL TFR TBL TBR',
  '5.1.4': 'FL FR FC LFE SL SR TFL TFR TBL TBR',
  '7.1.2': 'FL FR FC LFE BL BR SL SR TFL TFR',
  '7.1.4': 'FL FR FC LFE BL BR SL SR TFL TFR TBL TBR',
  '7.2.3': 'FL FR FC LFE BL BR SL SR TFL TFR TBC LFE2',
  '9.1.4': 'FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR',
  '9.1.6': 'FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR TSL TSR',
  hexadecagonal: 'FL FR FC BL BR BC SL SR TFL TFC TFR TBL TBC TBR WL WR',
  binaural: 'BIL BIR',
  downmix: 'DL DR',
  '22.2': 'FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR LFE2 TSL TSR BFC BFL BFR',
}

/**
 * What FFmpeg takes so many channels of no known layout for. Not three, which it takes for 2.1: what is no bass would be lost
 * in a channel for the bass.
 */
const guesses = ['mono', 'stereo', '', '4.0', '5.0', '5.1', '6.1', '7.1']

/** The channels of a standard layout; undefined for a name that is none. */
export function layoutChannels(name: string): readonly string[] | undefined {
  return Object.hasOwn(layouts, name) ? layouts[name]?.split(' ') : undefined
}

/**
 * The channels of a track whose layout ffprobe calls `5.1(side)` or `3 channels (FL+FR+LFE)`; where it knows none, those
 * that FFmpeg guesses from their number. Undefined where nobody can tell what each channel is for.
 */
export function trackChannels(layout: string | null, count: number): readonly string[] | undefined {
  const isUnknown = layout === null || layout === `${count} channels`
  const name = isUnknown ? (guesses[count - 1] ?? '') : layout
  const listed = /^\d+ channels \(([A-Z0-9+]+)\)$/.exec(name)?.[1]
  const channels = listed?.split('+') ?? layoutChannels(name)
  return channels?.length === count ? channels : undefined
}
