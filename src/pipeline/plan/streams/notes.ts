import type { MediaInfo, MediaStream } from '../../probe/media-info.ts'
import type { Decisions } from './decision.ts'
import { titlesAreKept } from './extras.ts'

/** What was dropped, a sentence for each kind and reason. Sound tells for itself, track by track. */
export function droppedNotes(info: MediaInfo, decisions: Decisions): string[] {
  const counts = new Map<string, { noun: string; reason: string; count: number }>()
  for (const stream of info.streams) {
    const decision = decisions.get(stream.index)
    if (decision?.action !== 'drop' || stream.kind === 'audio' || decision.reason === titlesAreKept) continue
    const noun = nounOf(stream)
    const key = `${noun} ${decision.reason}`
    const { count } = counts.get(key) ?? { count: 0 }
    counts.set(key, { noun, reason: decision.reason, count: count + 1 })
  }
  const early = info.early_chapter_count
  const notes = [...counts.values()].map(({ noun, reason, count }) =>
    countNote(count, noun, reason.replace('another video track: ', '')),
  )
  return early === 0 ? notes : [...notes, countNote(early, 'chapter', 'ending before the film begins')]
}

function countNote(count: number, noun: string, reason: string): string {
  return `${count === 1 ? `1 ${noun} was` : `${count} ${noun}s were`} dropped: ${reason}`
}

function nounOf(stream: MediaStream): string {
  if (stream.kind === 'video') return stream.is_cover ? 'cover picture' : 'other video track'
  if (stream.kind === 'subtitle') return 'subtitle track'
  return stream.kind === 'attachment' ? 'attachment' : 'data track'
}
