import type { ExpectedResult } from '../plan.ts'

/** What a result must be whose source has pictures in front of its first key frame: they are missing. `rate` is frames a second. */
export function withoutLost(expected: ExpectedResult, lost: number, rate: number | null): ExpectedResult {
  if (lost === 0 || rate === null) return expected
  const less = (seconds: number | null) => (seconds === null ? null : Math.max(0, seconds - lost / rate))
  return { ...expected, video_seconds: less(expected.video_seconds), file_seconds: less(expected.file_seconds) }
}

/** What a job says of them. */
export function lostNote(lost: number): string {
  const pictures = lost === 1 ? 'its first picture' : `its first ${lost} pictures`
  return `it begins in the middle of a scene: ${pictures} could not be decoded`
}
