import type { GpuApi } from '../../contract/gpu.ts'
import { isGpuEncoder } from '../plan/video/encoders.ts'
import { hasNoRate, type RateChoice } from '../plan/video/rate.ts'
import { quantizerOf } from './quality.ts'

/** The options of rate control, always explicit. */
export function rateArgs(choice: RateChoice): string[] {
  const { encoder, quality } = choice
  if (hasNoRate(encoder)) return []
  const quantizer = quality == null ? null : quantizerOf(encoder, quality)
  if (!isGpuEncoder(encoder)) return cpuRate(choice, quantizer)
  const api = encoder.slice(encoder.lastIndexOf('_') + 1) as GpuApi
  return quantizer === null ? gpuBitrate(choice, api) : gpuQuality(choice, api, quantizer)
}

/** What 1.4 and 4.2 are told of a bound so that films stay below it: they were measured to go beyond by 15 to 40 %. */
const svtBound = 0.75

function cpuRate({ encoder, bitrate, max_bitrate: most }: RateChoice, quantizer: number | null): string[] {
  if (encoder === 'libsvtav1') {
    if (quantizer === null) return ['-b:v', String(bitrate)]
    const bound = most == null ? [] : ['-maxrate', String(Math.round(most * svtBound))]
    return ['-crf', String(quantizer), ...bound]
  }
  if (quantizer === null) return ['-b:v', String(bitrate), ...peaksUpTo(most)]
  // Without a mean libvpx takes the quality for a wish only.
  const mean = encoder === 'libvpx-vp9' ? ['-b:v', String(most ?? 0)] : []
  return ['-crf', String(quantizer), ...mean, ...peaksUpTo(most)]
}

/** A decoder's buffer of one second: so much more may come at once. */
function peaksUpTo(most: number | null | undefined): string[] {
  return most == null ? [] : ['-maxrate', String(most), '-bufsize', String(most)]
}

/** Quantizers near what x264 gives at its default quality; AV1 counts to 255. */
const constantQuantizer = { av1: 110, others: 24 }

/** A mean with room for peaks; of twice that for a second or two unless bounded, as x264 takes it when left alone. */
function gpuBitrate({ encoder, bitrate, max_bitrate: most, proof }: RateChoice, api: GpuApi): string[] {
  const mean = ['-b:v', String(bitrate)]
  const peaks = peaksUpTo(most ?? bitrate * 2)
  switch (api) {
    case 'vulkan':
      if (proof?.rate_control === 'cqp') {
        const quantizer = encoder === 'av1_vulkan' ? constantQuantizer.av1 : constantQuantizer.others
        return ['-rc_mode', 'cqp', '-qp', String(quantizer)]
      }
      if (proof?.rate_control === 'cbr') return ['-rc_mode', 'cbr', ...mean, '-maxrate', String(bitrate)]
      return ['-rc_mode', 'vbr', ...mean, ...peaks]
    case 'nvenc':
      return ['-rc', 'vbr', ...mean, ...peaks]
    case 'vaapi':
      return ['-rc_mode', 'VBR', ...mean, ...peaks]
    case 'amf':
      return ['-rc', 'vbr_peak', ...mean, ...peaks]
    case 'qsv':
      return [...mean, ...peaks]
    case 'videotoolbox':
      return [...mean, ...(most == null ? [] : ['-maxrate', String(most)])]
  }
}

/** A quality by each engine's own control. Every driver of Vulkan Video and VAAPI has a constant quantizer; few have more. */
function gpuQuality({ encoder, max_bitrate: most }: RateChoice, api: GpuApi, quantizer: number): string[] {
  const value = String(quantizer)
  switch (api) {
    case 'vulkan':
      return ['-rc_mode', 'cqp', '-qp', value]
    case 'nvenc':
      return ['-rc', 'vbr', '-cq', value, '-b:v', '0', ...peaksUpTo(most)]
    case 'vaapi':
      // Named for the picture alone, since encoders of sound know the option too.
      return ['-rc_mode', 'CQP', '-global_quality:v', value]
    case 'amf':
      return ['-rc', 'cqp', '-qp_i', value, '-qp_p', value, ...(encoder === 'h264_amf' ? ['-qp_b', value] : [])]
    case 'qsv':
      // A bound turns ICQ into QVBR, which wants a mean below it.
      if (most == null) return ['-global_quality:v', value]
      return ['-global_quality:v', value, '-b:v', String(Math.round(most * 0.75)), ...peaksUpTo(most)]
    case 'videotoolbox':
      return ['-q:v', value, ...(most == null ? [] : ['-maxrate', String(most)])]
  }
}
