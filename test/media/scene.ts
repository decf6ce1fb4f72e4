/** What is filmed: everything is left to its default unless it matters. */
export interface SceneOptions {
  size?: string
  /** Pictures per second, as ffmpeg takes it. */
  rate?: string
  /** Pictures. */
  frames?: number
  /** Filters before the pictures are numbered and after it. */
  before?: string
  after?: string
  /** How many pictures in a row have the same number. */
  each?: number
}

/** Input options of ffmpeg for a scene. */
export interface Scene {
  picture: string[]
  sound: (layout?: string, hertz?: number) => string[]
}

/**
 * A film whose pictures carry their number and which has a clap near its start and near its end: one white picture and,
 * at the very same time, a beep. The number is written in eight black and white fields along the top, the lowest bit
 * left. Each channel beeps at a pitch and a level of its own.
 */
export function scene({
  size = '256x128',
  rate = '25',
  frames = 30,
  before,
  after,
  each = 1,
}: SceneOptions = {}): Scene {
  const claps = [Math.round(frames / 6), Math.round((frames * 5) / 6)]
  const perSecond = numberOf(rate)
  const fields = Array.from(
    { length: 8 },
    (_, bit) => `drawbox=x=iw*${bit}/8:y=0:w=iw/8:h=ih/4:c=white:t=fill:enable='mod(floor(n/${each * 2 ** bit}),2)'`,
  )
  const graph = [
    // Half a picture less, so that the count is certain.
    `testsrc2=size=${size}:rate=${rate}:duration=${(frames - 0.5) / perSecond}`,
    ...(before === undefined ? [] : [before]),
    'drawbox=x=0:y=0:w=iw:h=ih/4:c=black:t=fill',
    ...fields,
    `drawbox=x=0:y=ih/4:w=iw:h=ih:c=white:t=fill:enable='${claps.map((at) => `eq(n,${at})`).join('+')}'`,
    ...(after === undefined ? [] : [after]),
  ]
  const beeps = claps.map((at) => `between(t,${at / perSecond},${at / perSecond + 0.05})`).join('+')
  return {
    picture: ['-f', 'lavfi', '-i', graph.join(',')],
    sound: (layout = 'stereo', hertz = 48_000) => {
      const channels = speakers[layout] ?? speakers['stereo'] ?? []
      const voices = channels.map((name, at) => {
        // What a subwoofer does not play, codecs leave out.
        const pitch = name === 'LFE' ? 60 : 700 + 100 * at
        return `${(0.8 - 0.08 * at).toFixed(2)}*sin(2*PI*${pitch}*t)*(${beeps})`
      })
      const options = `c=${layout}:s=${hertz}:d=${frames / perSecond}`
      return ['-f', 'lavfi', '-i', `aevalsrc=exprs='${voices.join('|')}':${options}`]
    },
  }
}

/** Channels by FFmpeg's layouts, in its order. */
export const speakers: Record<string, readonly string[]> = {
  mono: ['FC'],
  stereo: ['FL', 'FR'],
  '2.1': ['FL', 'FR', 'LFE'],
  '3.0': ['FL', 'FR', 'FC'],
  '4.0': ['FL', 'FR', 'FC', 'BC'],
  quad: ['FL', 'FR', 'BL', 'BR'],
  '5.0': ['FL', 'FR', 'FC', 'BL', 'BR'],
  '5.1': ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR'],
  '5.1(side)': ['FL', 'FR', 'FC', 'LFE', 'SL', 'SR'],
  '6.1': ['FL', 'FR', 'FC', 'LFE', 'BC', 'SL', 'SR'],
  '7.1': ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR', 'SL', 'SR'],
}

function numberOf(rate: string): number {
  const [over, under = 1] = rate.split('/').map(Number)
  return (over ?? 1) / under
}

/** The fastest encode of H.264 in 4:2:0, with B-frames as most films have them. */
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-qp', '20', '-pix_fmt', 'yuv420p']
export const aac = ['-c:a', 'aac', '-b:a', '96k']
