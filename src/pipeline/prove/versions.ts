/** The first release of FFmpeg that has something, by FFmpeg's Changelog; `decode_` is by `-hwaccel vulkan`, `filter_` what we need of a filter. */
const since: Record<string, readonly [major: number, minor: number]> = {
  h264_vulkan: [7, 1],
  hevc_vulkan: [7, 1],
  av1_vulkan: [8, 0],
  ffv1_vulkan: [8, 0],
  prores_ks_vulkan: [8, 1],
  filter_libplacebo: [6, 1],
  decode_h264: [6, 1],
  decode_hevc: [6, 1],
  decode_av1: [6, 1],
  decode_vp9: [8, 0],
  decode_ffv1: [8, 0],
  decode_prores: [8, 1],
}

/** Why an ffmpeg's list lacks an encoder or a filter: `ffmpeg 5.1.9 has no h264_vulkan; 7.1 or newer is needed`. */
export function whyMissing(version: string, name: string): string {
  const remedy = isOlder(version, name) ? `${since[name]?.join('.')} or newer is needed` : 'it was built without it'
  return `ffmpeg ${shortVersion(version)} has no ${name}; ${remedy}`
}

/** Why an ffmpeg is too old to decode a codec by Vulkan; null when it is not, which a trial must show. */
export function tooOldToDecode(version: string, codec: string): string | null {
  const name = `decode_${codec}`
  if (!isOlder(version, name)) return null
  return `ffmpeg ${shortVersion(version)} cannot decode ${codec} by Vulkan; ${since[name]?.join('.')} or newer is needed`
}

/** Why an ffmpeg is too old for a filter that it has; null when it is not. libplacebo took frames of the GPU's memory only. */
export function tooOldToFilter(version: string, filter: string): string | null {
  const name = `filter_${filter}`
  if (!isOlder(version, name)) return null
  return `${filter} of ffmpeg ${shortVersion(version)} is too old; ${since[name]?.join('.')} or newer is needed`
}

/** A build from git (`N-…`, `2024-…`) counts as new. */
function isOlder(version: string, name: string): boolean {
  const release = /^n?(\d{1,3})\.(\d+)/.exec(version)
  const needed = since[name]
  if (release === null || needed === undefined) return false
  const [major, minor] = [Number(release[1]), Number(release[2])]
  return major < needed[0] || (major === needed[0] && minor < needed[1])
}

/** `5.1.9-0+deb12u1` is `5.1.9`. */
function shortVersion(version: string): string {
  return /^n?(\d{1,3}(\.\d+)+)/.exec(version)?.[1] ?? version
}
