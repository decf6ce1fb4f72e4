/** A stretch of a film, in seconds; `seconds` null for all that follows `start`. */
export interface Place {
  start: number
  seconds: number | null
}

/** All of a film. */
export const wholeFilm: Place = { start: 0, seconds: null }

/** Seconds: what is no longer is decoded whole, and else each place is so long. Keyframes lie up to ten seconds apart. */
const wholeUpTo = 60
const placeSeconds = 3
/** One place for each of so many seconds, at least two and at most so many, besides start and end. */
const secondsAPlace = 900
const most = 8

/**
 * Where to look at a film of that length in seconds: all of it when it is short or its length not known; else at its start,
 * its very end, and in between at places that the `seed` chooses, so that they differ from film to film and are the same
 * when it is looked at again.
 */
export function samplePlaces(durationSeconds: number | null, seed: string): Place[] {
  if (durationSeconds === null || durationSeconds <= wholeUpTo) return [wholeFilm]
  const count = Math.min(most, Math.max(2, Math.round(durationSeconds / secondsAPlace)))
  const stretch = (durationSeconds - 3 * placeSeconds) / count
  const between = Array.from({ length: count }, (_, number) => {
    const start = placeSeconds + (number + share(`${seed} ${number}`)) * stretch
    return { start: Math.round(start * 1000) / 1000, seconds: placeSeconds }
  })
  const end = { start: Math.round((durationSeconds - placeSeconds) * 1000) / 1000, seconds: null }
  return [{ start: 0, seconds: placeSeconds }, ...between, end]
}

/** A number from 0 to below 1 that a text always gives, by FNV-1a. */
function share(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  // Its last bytes have changed the upper bits too little.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
