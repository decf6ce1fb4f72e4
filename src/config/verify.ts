import { pictureMetrics, type PictureMetric, type VerifySettings } from '../contract/conversion.ts'
import { nearest } from './nearest.ts'
import type { ValueType } from './values.ts'

/** The best that each metric can give; xpsnr counts decibels, and equal pictures are told to have 100. */
const most: Record<PictureMetric, number> = { vmaf: 100, ssim: 1, xpsnr: 100 }
const decodes = ['samples', 'full'] as const
const names = [...decodes, ...pictureMetrics]

/**
 * `samples` or `full`, a metric with its least value as `vmaf=90`, or both with a comma in between; in YAML also as a map,
 * `{vmaf: 90}` or `{decode: full, ssim: 0.95}`.
 */
export const Verify: ValueType<VerifySettings> = {
  expected: 'samples, full, or a metric with its least value such as vmaf=90, or both such as full, ssim=0.95',
  isMap: true,
  parse(text) {
    let decode: VerifySettings['decode'] | undefined
    let metric: VerifySettings['metric'] = null
    for (const part of partsOf(text)) {
      const found = readPart(part)
      if (typeof found === 'string' && decode === undefined) decode = found
      else if (typeof found === 'object' && metric === null) metric = found
      else return undefined
    }
    return { decode: decode ?? 'samples', metric }
  },
  hint(text) {
    const parts = partsOf(text)
    const reason = parts.map(whyNot).find((why) => why !== undefined)
    if (reason !== undefined) return reason
    if (parts.filter((part) => typeof readPart(part) === 'object').length > 1) return 'one metric at a time'
    return parts.length > 1 ? 'each may be said once' : undefined
  },
  format: ({ decode, metric }) => (metric === null ? decode : `${decode}, ${metric.name}=${metric.minimum}`),
}

function partsOf(text: string): string[] {
  return text.split(',').map((part) => part.trim().toLowerCase())
}

/** Undefined for what is neither. */
function readPart(part: string): VerifySettings['decode'] | NonNullable<VerifySettings['metric']> | undefined {
  const word = part.replace(/^decode\s*[=:]\s*/, '')
  const decode = decodes.find((known) => known === word)
  if (decode !== undefined) return decode
  const match = /^(\w+)\s*[=:]\s*(\d{1,3}(?:\.\d{1,6})?)$/.exec(part)
  const name = pictureMetrics.find((known) => known === match?.[1])
  const minimum = Number(match?.[2])
  return name === undefined || minimum > most[name] ? undefined : { name, minimum }
}

function whyNot(part: string): string | undefined {
  if (readPart(part) !== undefined) return undefined
  const [word = '', value] = part.split(/\s*[=:]\s*/)
  const metric = pictureMetrics.find((known) => known === word)
  if (metric === undefined) {
    const close = nearest(word, names)
    return close === undefined ? undefined : `did you mean ${close}?`
  }
  const example = metric === 'ssim' ? 0.95 : metric === 'vmaf' ? 90 : 40
  return value === undefined ? `write ${metric}=${example}` : `${metric} goes from 0 to ${most[metric]}`
}
