import { pictureMetrics, type PictureMetric, type VerifySettings } from '../contract/conversion.ts'
import type { ValueType } from './values.ts'

/** The best that each metric can give; xpsnr counts decibels and is infinite for equal pictures. */
const most: Record<PictureMetric, number> = { vmaf: 100, ssim: 1, xpsnr: 100 }

/** `samples` or `full`, `vmaf=90`, or both with a comma in between. */
export const Verify: ValueType<VerifySettings> = {
  expected: `samples or full, a metric with its minimum such as ${pictureMetrics.map((name) => `${name}=${name === 'ssim' ? 0.95 : 90}`)[0]}, or both as full, vmaf=90`,
  parse(text) {
    let decode: VerifySettings['decode'] | undefined
    let metric: VerifySettings['metric'] = null
    for (const part of text.split(',')) {
      const word = part.trim().toLowerCase()
      const match = /^(\w+)\s*[=:]\s*(\d{1,3}(?:\.\d{1,6})?)$/.exec(word)
      const name = pictureMetrics.find((known) => known === match?.[1])
      if (decode === undefined && (word === 'samples' || word === 'full')) decode = word
      else if (metric === null && name !== undefined && Number(match?.[2]) <= most[name]) {
        metric = { name, minimum: Number(match?.[2]) }
      } else return undefined
    }
    return { decode: decode ?? 'samples', metric }
  },
  format: ({ decode, metric }) => (metric === null ? decode : `${decode}, ${metric.name}=${metric.minimum}`),
}
