import { expect, test } from 'bun:test'
import { requeueText } from '../../src/cli/requeue.ts'

const nothing = { looked_at: 1200, requeued: 0, unknown: 0, replaced: 0, missing: 0, groups: [] }

test('what is queued again is told by profile with its changes, and what is left alone with the reason', () => {
  const text = requeueText(
    {
      looked_at: 12_000,
      requeued: 1503,
      unknown: 7,
      replaced: 5,
      missing: 2,
      groups: [
        {
          profile: 'films in 4k',
          before: 'films in 4k',
          status: 'completed',
          changes: ['codec h264 -> hevc', 'bitrate 5 Mb/s -> 12 Mb/s'],
          jobs: 1500,
        },
        {
          profile: null,
          before: 'phones\u001b[2J',
          status: 'skipped',
          changes: ['not skipped by profile phones any more'],
          jobs: 3,
        },
      ],
    },
    false,
  )
  expect(text).toBe(String.raw`1,503 of 12,000 completed and skipped jobs are pending again:
  1,500 x profile films in 4k: codec h264 -> hevc, bitrate 5 Mb/s -> 12 Mb/s
  3 x no profile, before profile phones\u001b[2J: not skipped by profile phones any more
7 left alone: who converted them did not tell by which settings
5 left alone: their results stand in their sources' places
2 left alone: their sources are gone
`)
})

test('a dry run tells what would be', () => {
  expect(requeueText(nothing, true)).toBe('0 of 1,200 completed and skipped jobs would be queued again\n')
})
