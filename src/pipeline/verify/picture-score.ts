import type { PictureMetric } from '../../contract/conversion.ts'

/** The filter of each metric, by FFmpeg's names, and what an ffmpeg must be that has it. */
export const metricFilters: Record<PictureMetric, { filter: string; remedy: string }> = {
  ssim: { filter: 'ssim', remedy: 'install FFmpeg as your system has it' },
  xpsnr: { filter: 'xpsnr', remedy: 'install FFmpeg 7.1 or newer, or ask for ssim, which every ffmpeg has' },
  vmaf: {
    filter: 'libvmaf',
    remedy: 'install an ffmpeg that was built with libvmaf (Debian has none), or ask for xpsnr or ssim',
  },
}

/** What equal pictures have: their xpsnr is infinite. */
const mostXpsnr = 100

/**
 * The score in a line that a metric's filter logs when the film has ended; undefined for any other line. `ssim`: the mean
 * over all frames and planes. `xpsnr`: the least of the three planes' means, in decibels, at most 100. `vmaf`: the mean of all
 * frames. The words are those of FFmpeg 5.1 to 9.0, and of libvmaf 1 to 3.
 */
export function parseScore(metric: PictureMetric, line: string): number | undefined {
  const text = patterns[metric].exec(line)?.slice(1)
  if (text === undefined) return undefined
  return Math.min(...text.map((number) => (/inf/i.test(number) ? mostXpsnr : Number(number))))
}

const decimal = String.raw`(-?inf|-?\d+(?:\.\d+)?)`
const patterns: Record<PictureMetric, RegExp> = {
  ssim: new RegExp(String.raw`_ssim_\d+ @ \w+\] .*SSIM .*\bAll:${decimal}`),
  // It is written in pieces, between which lines of other threads can come: the last piece has what is wanted.
  xpsnr: new RegExp(String.raw`\(minimum: *${decimal}\)`),
  vmaf: new RegExp(String.raw`libvmaf(?:_\d+)? @ \w+\] .*VMAF score(?::| =) *${decimal}`),
}
