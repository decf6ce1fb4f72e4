import { formatCount } from '../../util/format.ts'

/**
 * Demuxers of real media files, by FFmpeg's names; a name that a build lacks does no harm. What is left out on purpose
 * reads other files, devices or hosts (hls, dash, concat, sdp, imf, image2, svg_pipe, lavfi, rtsp), or takes any text
 * for media (tty, the subtitle formats).
 */
const mediaDemuxers = (
  'mov mp4 m4a 3gp 3g2 mj2 matroska webm avi mpegts mpeg mpegvideo m4v h261 h263 h264 hevc vvc vc1 vc1test av1 obu ivf ' +
  'avs2 avs3 cavsvideo dirac flv live_flv kux asf asf_o wtv ogg mxf gxf nut nsv rm dv dvr dnxhd r3d lxf swf yuv4mpegpipe ' +
  'mjpeg mpjpeg smjpeg gif apng webp_pipe png_pipe jpeg_pipe bmp_pipe tiff_pipe bink smk roq flic nuv mv mm pva ty film_cpk ' +
  'mp3 aac loas latm flac wav w64 rf64 aiff caf au ac3 eac3 ac4 dts dtshd truehd mlp amr amrnb amrwb ape tta wv tak mpc mpc8 ' +
  'shn dsf iff oma voc spdif'
).split(' ')

/** Pixels that a picture may have: what 8K needs four times over, and far below what fills memory. */
const maxSide = 16_384
const maxPixels = 16_384 * 8_640

/**
 * Input options, before `-i`: nothing but this file is opened, only by a demuxer for media, and no picture is decoded
 * that is larger than any film's. A file of a megabyte can turn to 16000 x 15000 in mid-film, which took 6 GB in 16 threads.
 */
export const inputLimits = [
  ['-protocol_whitelist', 'file,pipe', '-format_whitelist', mediaDemuxers.join(',')],
  ['-max_pixels', String(maxPixels)],
].flat()

/** FFmpeg's grammar for a path and nothing but a path: no protocol, no option, no pattern in it counts. */
export function fileUrl(path: string): string {
  return `file:${path}`
}

/** FFmpeg's default of `-max_streams`. */
const maxTracks = 1000

/** Which bound FFmpeg says that a file breaks, a clause; undefined when it speaks of none. The words are those of 5.1 to 9.0. */
export function brokenLimit(text: string): string | undefined {
  if (/Number of (streams|tracks) exceeds max_streams/.test(text))
    return `it has more than ${formatCount(maxTracks)} tracks`
  const size = /Picture size (\d+)x(\d+) (?:exceeds specified max pixel count|is invalid)/.exec(text)
  const [width, height] = [Number(size?.[1] ?? 0), Number(size?.[2] ?? 0)]
  return isTooLarge(width, height) ? tooLarge(width, height) : undefined
}

/** Whether a picture has more pixels than any film, in all or on one side. */
export function isTooLarge(width: number, height: number): boolean {
  return Math.max(width, height) > maxSide || width * height > maxPixels
}

/** What to say of a picture that is too large. */
export function tooLarge(width: number, height: number): string {
  return `the picture is too large: ${formatCount(width)} x ${formatCount(height)} pixels`
}
