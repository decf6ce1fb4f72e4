import { describe, expect, test } from 'bun:test'
import { clearlyTooLarge, type SizeReport, sizeWatch, whyTooLarge } from '../../../src/pipeline/encode/size-watch.ts'

/** A source of 10 MB and 100 s, of which a result may take 9 MB. */
const limit = { source_bytes: 10_000_000, max_size_ratio: 0.9, duration_seconds: 100 }

function report(out_time_seconds: number | null, size_bytes: number | null): SizeReport {
  return { out_time_seconds, size_bytes, is_done: false }
}

/** Feeds an encode's reports, by two a second, whose bytes at each second of film are told; when it was ended and why. */
function watched(bytesAt: (seconds: number) => number | null, changes: Partial<typeof limit> = {}, step = 1) {
  const watch = sizeWatch({ ...limit, ...changes })
  for (let seconds = 0; seconds <= 100; seconds += step) {
    const why = watch(report(seconds, bytesAt(seconds)))
    if (why !== undefined) return { seconds, why }
  }
  return undefined
}

/** Bytes up to a second, of parts with a length in seconds and a number of bytes each. */
function inParts(...parts: [seconds: number, bytes: number][]) {
  return (seconds: number) => {
    let [left, sum] = [seconds, 0]
    for (const [length, bytes] of parts) {
      sum += bytes * Math.min(1, Math.max(0, left / length))
      left -= length
    }
    return sum
  }
}

describe('a finished result', () => {
  test('is too large from the very byte on that makes the share', () => {
    expect(whyTooLarge(8_999_999, limit)).toBeUndefined()
    expect(whyTooLarge(9_000_000, limit)).toBe(
      'the result is 0.90 times its source (9.0 MB of 10.0 MB), and max_size_ratio is 0.9',
    )
    expect(whyTooLarge(13_000_000, limit)).toStartWith('the result is 1.30 times its source (13.0 MB of 10.0 MB)')
  })

  test('may be larger than its source when so much is allowed', () => {
    expect(whyTooLarge(13_000_000, { ...limit, max_size_ratio: 1.5 })).toBeUndefined()
  })
})

describe('an encode is ended', () => {
  test('early in the film when it goes far beyond, once three reports agree', () => {
    expect(watched(inParts([100, 130_000_000]))).toEqual({
      seconds: 7,
      why: 'the result has grown to 0.91 times its source (9.1 MB of 10.0 MB) after 0:07 of 1:40, and max_size_ratio is 0.9',
    })
    expect(watched(inParts([100, 40_000_000]))).toEqual({
      seconds: 22,
      why: 'the result would be 4.00 times its source (40.0 MB of 10.0 MB), and max_size_ratio is 0.9',
    })
  })

  test.each([
    [30_000_000, 28],
    [13_000_000, 58],
    [10_000_000, 79],
  ])('the later the closer the case is: one of %d bytes after %d s', (bytes, seconds) => {
    expect(watched(inParts([100, bytes]))?.seconds).toBe(seconds)
  })

  test('at once when what is written is too much, be the length known or not', () => {
    expect(watched((seconds) => (seconds < 3 ? 0 : 9_500_000))?.seconds).toBe(3)
    const watch = sizeWatch({ ...limit, duration_seconds: null })
    expect(watch(report(50, 8_999_999))).toBeUndefined()
    expect(watch(report(51, 9_000_000))).toBe(
      'the result has grown to 0.90 times its source (9.0 MB of 10.0 MB) after 0:51, and max_size_ratio is 0.9',
    )
    expect(sizeWatch(limit)(report(null, 20_000_000))).toStartWith('the result has grown to 2.00 times')
  })
})

describe('an encode goes on', () => {
  test('to its end when it is small enough, if only just', () => {
    expect(watched(inParts([100, 8_900_000]))).toBeUndefined()
  })

  test.each([2, 5, 10, 20, 30, 50, 70, 90])('though all that is heavy stands in the first %d s', (seconds) => {
    expect(watched(inParts([seconds, 7_000_000], [100 - seconds, 200_000]))).toBeUndefined()
  })

  test('whatever its parts are like, unless it takes four fifths of what it may before it is over', () => {
    for (let heavy = 1; heavy < 100; heavy++) {
      expect(watched(inParts([heavy, 7_190_000], [100 - heavy, 0]), {}, 0.5)).toBeUndefined()
    }
  })

  test('when large attachments stand in front of it', () => {
    expect(watched((seconds) => 8_000_000 + seconds * 5000)).toBeUndefined()
  })

  test('while nothing is written for long, and then much at once', () => {
    expect(watched((seconds) => (seconds < 30 ? 0 : seconds * 70_000))).toBeUndefined()
  })

  test('after a single burst that the next report does not bear out', () => {
    const watch = sizeWatch(limit)
    const said = [report(39, 1_000_000), report(40, 8_500_000), report(90, 8_600_000), report(99, 8_700_000)].map(watch)
    expect(said).toEqual([undefined, undefined, undefined, undefined])
  })

  test('in a first pass, which writes nothing, and before the first packet', () => {
    expect(watched(() => null)).toBeUndefined()
    expect(sizeWatch(limit)(report(null, 0))).toBeUndefined()
  })

  test('when it is finished: then its size is judged, not its reports', () => {
    expect(sizeWatch(limit)({ out_time_seconds: 100, size_bytes: 20_000_000, is_done: true })).toBeUndefined()
  })

  test('beyond the length that its source tells, up to what is too much', () => {
    const watch = sizeWatch({ ...limit, duration_seconds: 10 })
    for (let seconds = 10; seconds < 80; seconds++) {
      expect(watch(report(seconds, seconds * 100_000))).toBeUndefined()
    }
  })
})

test('nothing is foretold before a tenth of the film, nor before five seconds of it', () => {
  const first = report(0, 0)
  expect(clearlyTooLarge(report(9.9, 8_999_999), first, limit)).toBeUndefined()
  expect(clearlyTooLarge(report(10, 8_999_999), first, limit)).toBe(89_999_990)
  const short = { ...limit, duration_seconds: 10 }
  expect(clearlyTooLarge(report(4.9, 8_900_000), first, short)).toBeUndefined()
  expect(clearlyTooLarge(report(5, 8_900_000), first, short)).toBe(17_800_000)
})
