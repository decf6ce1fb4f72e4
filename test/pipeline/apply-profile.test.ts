import { describe, expect, test } from 'bun:test'
import type { Profile, SourceFacts } from '../../src/contract/profile.ts'
import { applyProfile } from '../../src/pipeline/apply-profile.ts'
import { PostponedError } from '../../src/pipeline/postponed-error.ts'
import { SkippedError } from '../../src/pipeline/skipped-error.ts'
import { settings } from './samples.ts'

const source_path = '/films/a.mkv'
const facts: SourceFacts = {
  codec: 'h264',
  width: 1280,
  height: 720,
  is_hdr: false,
  bit_rate: 1_234_567,
  duration_seconds: 60,
  format: 'matroska',
}
const profile = (changes: Partial<Profile> = {}): Profile => ({
  name: 'small',
  when: { max_height: 720 },
  skip: false,
  priority: null,
  settings: settings({ codec: 'hevc' }),
  ...changes,
})

function thrown(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

test('the first profile that holds gives its settings', () => {
  const profiles = [profile({ name: 'hdr', when: { hdr: true } }), profile(), profile({ name: 'all', when: {} })]
  expect(applyProfile({ source_path, settings: settings(), profiles }, facts)).toEqual({
    source_facts: facts,
    profile: 'small',
    settings: settings({ codec: 'hevc' }),
  })
})

test.each([[undefined], [[]], [[profile({ when: { hdr: true } })]]])(
  'where none holds, the given ones do',
  (profiles) => {
    expect(applyProfile({ source_path, settings: settings(), profiles }, facts)).toEqual({
      source_facts: facts,
      profile: null,
      settings: settings(),
    })
  },
)

describe('a skip', () => {
  test('says by which profile and for which figures, and no settings were in force', () => {
    const profiles = [profile({ skip: true, priority: 1 })]
    const error = thrown(() => applyProfile({ source_path, settings: settings(), profiles, priority: 5 }, facts))
    expect(error).toBeInstanceOf(SkippedError)
    expect(error).toMatchObject({
      message: 'profile small says skip: h264 at 1.2 Mb/s in 1280x720',
      record: { source_facts: facts, profile: 'small', settings: null },
      ran_on: null,
    })
  })

  test.each([
    [{ bit_rate: null, is_hdr: true }, 'profile small says skip: h264 in 1280x720, HDR'],
    [{ bit_rate: 123_456_789 }, 'profile small says skip: h264 at 123.5 Mb/s in 1280x720'],
    [{ bit_rate: 96_000 }, 'profile small says skip: h264 at 96 kb/s in 1280x720'],
  ])('of a source with %p', (changes, message) => {
    const found = { ...facts, ...changes }
    const act = () => applyProfile({ source_path, settings: settings(), profiles: [profile({ skip: true })] }, found)
    expect(thrown(act)).toMatchObject({ message })
  })
})

const choose = (own: number | null, given: number | null) =>
  thrown(() =>
    applyProfile({ source_path, settings: settings(), profiles: [profile({ priority: own })], priority: given }, facts),
  )

describe('the turn of a job', () => {
  test('goes to others where the profile gives it a later one', () => {
    const error = choose(4, 5)
    expect(error).toBeInstanceOf(PostponedError)
    expect(error).toMatchObject({ message: 'profile small gives it priority 4', source_facts: facts })
  })

  test.each([
    [5, 5],
    [9, 5],
    [null, 5],
    [4, null],
  ])('is kept where the profile says %p and the job has %p', (own, given) => {
    expect(choose(own, given)).toMatchObject({ profile: 'small' })
  })
})
