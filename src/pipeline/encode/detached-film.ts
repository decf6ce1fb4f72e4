import type { VideoPlan } from '../plan.ts'

/**
 * Output options for a film that FFmpeg must not know the source's stream of: up to 7, it writes what the source's container
 * says of a stream's screen and light into the result, whatever filters took from the frames. It takes no stream for the
 * source of a graph of two inputs, so the film comes out of such a one, and the second input goes nowhere.
 */
export function detachedGraph({ stream_index: index, filters }: VideoPlan): string[] {
  return ['-filter_complex', `[0:${index}]nullsink;[0:${index}]${filters.join(',')}${detachedLabel}`]
}

/** What `-map` calls the film then. */
export const detachedLabel = '[film]'

/**
 * The tags of all streams that are mapped, in the result's order: FFmpeg copies none of a detached film, and when told of
 * one, none of the others. 5.1 would leave who encoded the source in the tags of what is encoded anew.
 */
export function copiedTagArgs(streams: readonly { stream_index: number; is_copied: boolean }[]): string[] {
  return streams.flatMap(({ stream_index: index, is_copied }, position) => [
    `-map_metadata:s:${position}`,
    `0:s:${index}`,
    ...(is_copied ? [] : [`-metadata:s:${position}`, 'encoder=']),
  ])
}
