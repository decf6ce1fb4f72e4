/** Whether there is a decoder of a codec that looks closer than the one that FFmpeg takes. */
export function hasCloserDecoder(codec: string): boolean {
  return codec in closest
}

/**
 * The decoder that finds most damage, where it is not FFmpeg's own choice: the codecs' own libraries see that a range coder
 * has not come out where it must, of which dav1d and FFmpeg's vp9 say nothing.
 */
export function closestDecoder(codec: string, decoders: ReadonlySet<string>): string | null {
  const name = closest[codec]
  return name !== undefined && decoders.has(name) ? name : null
}

const closest: Record<string, string> = { av1: 'libaom-av1', vp9: 'libvpx-vp9' }
