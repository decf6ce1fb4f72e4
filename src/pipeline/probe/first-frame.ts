import * as v from 'valibot'
import { askFfprobe } from './ask-ffprobe.ts'
import type { ProbeRequest } from './ffprobe.ts'
import { type HdrMetadata, mergeHdrMetadata, readHdrMetadata, SideData } from './hdr-metadata.ts'
import type { MediaInfo, VideoStream } from './media-info.ts'

const Frames = v.object({
  frames: v.optional(v.array(v.object({ side_data_list: v.optional(v.array(SideData), []) })), []),
})

/** Packets to look for a first frame in, a few and then many: what was cut from a broadcast begins between two key frames. */
const attempts = ['%+#1', '%+#300']
const maxFrameBytes = 8 * 1024 * 1024

/**
 * The file with what a track's first frame says of its HDR, which is where most encoders write it and most containers do
 * not; what the container says counts first. A frame that cannot be read says nothing. Rejects when the signal aborts.
 */
export async function withFirstFrame(request: ProbeRequest, info: MediaInfo, track: VideoStream): Promise<MediaInfo> {
  const hdr = mergeHdrMetadata(track.hdr, await readFirstFrame(request, track.index))
  return { ...info, streams: info.streams.map((stream) => (stream === track ? { ...track, hdr } : stream)) }
}

async function readFirstFrame(request: ProbeRequest, index: number): Promise<HdrMetadata | null> {
  for (const interval of attempts) {
    const options = ['-select_streams', String(index), '-show_frames', '-read_intervals', interval]
    const answer = await askFfprobe(request, { options, schema: Frames, max_bytes: maxFrameBytes })
    const frame = answer?.frames[0]
    if (frame !== undefined) return readHdrMetadata(frame.side_data_list)
  }
  return null
}
