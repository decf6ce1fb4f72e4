/** Bits per sample of a pixel format by its name: `yuv420p10le`, `p010le`, `gray12be`; what names no depth has 8. */
export function bitDepthOf(format: string): number {
  const named = /p0?(9|10|12|14|16)(le|be)$|^gray(9|10|12|14|16)/.exec(format)
  return Number(named?.[1] ?? named?.[3] ?? 8)
}

/** A pixel format as engines for 4:2:0 video hold it in a GPU's memory, with interleaved chroma; others stay as they are. */
export function surfaceOf(format: string): string {
  if (format === 'yuv420p' || format === 'yuvj420p') return 'nv12'
  return format === 'yuv420p10le' ? 'p010le' : format
}
