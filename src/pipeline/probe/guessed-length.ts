import type { MediaInfo } from './media-info.ts'

/** Formats without a length of their own: FFmpeg guesses one from the bit rate. */
const withoutLength = /^(h26[134]|hevc|vvc|m4v|mpegvideo|mjpeg|vc1|obu|dirac|.*_pipe|gif|apng)$/

/** Whether the length that a file is said to have is a guess that nothing may be built on. */
export function isLengthGuessed({ formats }: Pick<MediaInfo, 'formats'>): boolean {
  return formats.some((name) => withoutLength.test(name))
}
