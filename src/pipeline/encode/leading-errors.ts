/** What a decoder says of the beginning of a stream that was cut between two key frames. */
export interface LeadingErrors {
  /** Whether a line tells of nothing but that; `frames` have been written by now. To be asked of every error line, in order. */
  excuses(line: string, frames: number): boolean
  /** Pictures of which there was nothing to decode. */
  lost(): number
}

/** What none can say who has seen a header: each codec's comes again with every key frame, and is kept. */
const headerMissing =
  /^\[(h264|hevc|mpeg[12]video) @ \w+\] \[error\] (non-existing [SP]PS \d+ referenced|[SPV]PS id out of range: \d+|[SPV]PS \d+ does not exist|Invalid frame dimensions 0x0)/
/** What comes with it, and for the pictures behind the first key frame that lean on some before it. */
const companion =
  /^\[(h264|hevc|mpeg[12]video) @ \w+\] \[error\] (decode_slice_header error|no frame!|mmco: unref short failure|co located POCs unavailable|reference picture missing during reorder|Missing reference picture, default is \d+|Could not find ref with POC -?\d+|Error constructing the frame RPS)/
/** How often each codec's decoder says so of a picture. */
const lostPicture = /no frame!|Invalid frame dimensions 0x0/
const halfPicture = /PPS id out of range/
/** Companions that may follow the last missing header: those of one group of pictures. */
const mostBehind = 32

/**
 * A recording of a broadcast begins anywhere: until its first key frame there is nothing that could be decoded, which is no
 * damage. It is excused as long as only such errors come, from the first one on, and no second frame was told to be written.
 */
export function leadingErrors(): LeadingErrors {
  let isLeading = true
  let hasBegun = false
  let behind = 0
  let lost = 0
  return {
    excuses(line, frames) {
      if (!isLeading) return false
      const isMissing = headerMissing.test(line)
      hasBegun ||= isMissing
      behind = isMissing ? 0 : behind + 1
      isLeading = hasBegun && frames <= 1 && behind <= mostBehind && (isMissing || companion.test(line))
      if (isLeading) lost += lostPicture.test(line) ? 1 : halfPicture.test(line) ? 0.5 : 0
      return isLeading
    },
    lost: () => Math.ceil(lost),
  }
}
