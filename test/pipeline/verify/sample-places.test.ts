import { describe, expect, test } from 'bun:test'
import { samplePlaces, wholeFilm } from '../../../src/pipeline/verify/sample-places.ts'

test('what is short, or tells no length, is looked at as a whole', () => {
  expect(samplePlaces(60, 'film')).toEqual([wholeFilm])
  expect(samplePlaces(0.04, 'film')).toEqual([wholeFilm])
  expect(samplePlaces(null, 'film')).toEqual([wholeFilm])
})

describe.each([61, 600, 5400, 36_000])('of a film of %d s', (seconds) => {
  const places = samplePlaces(seconds, 'film')

  test('its first seconds and its very end are looked at', () => {
    expect(places[0]).toEqual({ start: 0, seconds: 3 })
    expect(places.at(-1)).toEqual({ start: seconds - 3, seconds: null })
  })

  test('the places between lie in it, in order, and do not overlap', () => {
    places
      .slice(1)
      .forEach(({ start }, number) => expect(start).toBeGreaterThanOrEqual((places[number]?.start ?? 0) + 3))
  })

  test('no more than ten places are looked at, and no fewer than four', () => {
    expect(places.length).toBeGreaterThanOrEqual(4)
    expect(places.length).toBeLessThanOrEqual(10)
  })
})

test('the places are the same for the same film, and others for another one', () => {
  expect(samplePlaces(5400, 'a.mkv')).toEqual(samplePlaces(5400, 'a.mkv'))
  expect(samplePlaces(5400, 'a.mkv')).not.toEqual(samplePlaces(5400, 'b.mkv'))
})

test('over many films every part of a film is looked at about as often', () => {
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let film = 0; film < 2000; film++) {
    for (const { start } of samplePlaces(600, `films/${film}.mkv`).slice(1, -1)) {
      const tenth = Math.floor(start / 60)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
  }
  for (const count of tenths) {
    expect(count).toBeGreaterThan(300)
    expect(count).toBeLessThan(500)
  }
})
