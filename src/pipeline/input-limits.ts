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

/** Input options, before `-i`: nothing but this file is opened, and only by a demuxer for media. */
export const inputLimits = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', mediaDemuxers.join(',')] as const

/** FFmpeg's grammar for a path and nothing but a path: no protocol, no option, no pattern in it counts. */
export function fileUrl(path: string): string {
  return `file:${path}`
}

/** Pixels that a picture may have: what 8K needs four times over, and far below what fills memory. */
export const maxSide = 16_384
export const maxPixels = 16_384 * 8_640
