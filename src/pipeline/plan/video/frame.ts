import type { ConversionSettings } from '../../../contract/conversion.ts'
import type { VideoStream } from '../../probe/media-info.ts'

/** A size in square pixels. */
export interface FrameSize {
  width: number
  height: number
}

/**
 * The largest frame that shows the source's picture upright, undistorted and not enlarged inside the box. Lines are
 * kept as they are and pixels made square by width; both sides are even, as 4:2:0 wants them, and at least 2.
 */
export function fitFrame(
  source: Pick<VideoStream, 'width' | 'height' | 'sample_aspect' | 'rotation'>,
  box: ConversionSettings['target_resolution'],
): FrameSize {
  const isTurned = source.rotation === 90 || source.rotation === 270
  const width = isTurned ? source.height : source.width * source.sample_aspect
  const height = isTurned ? source.width * source.sample_aspect : source.height
  const factor = Math.min(1, box.width / width, box.height / height)
  return { width: even(width * factor, box.width), height: even(height * factor, box.height) }
}

/** The nearest even number that neither passes the limit nor rounds an odd size up: there is no pixel to fill it. */
function even(size: number, limit: number): number {
  const nearest = 2 * Math.round(size / 2)
  const most = Math.min(limit, Math.max(2, Math.ceil(size)))
  return Math.max(2, nearest > most ? nearest - 2 : nearest)
}
