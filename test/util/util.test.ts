import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jittered, sleep, timestamp } from '../../src/util/clock.ts'
import { formatBytes, formatClock, formatCount, formatDuration } from '../../src/util/format.ts'
import { createLog } from '../../src/util/log.ts'
import { temporaryFolder } from '../support/program.ts'

test('sizes, counts and times read as people write them', () => {
  expect([0, 999, 1000, 1_500_000, 999_999_999, 2.1e12].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 MB',
    '1.0 GB',
    '2.1 TB',
  ])
  expect([0.85, 42, 300, 3 * 3600, 42 * 86_400].map(formatDuration)).toEqual([
    '850 ms',
    '42 s',
    '5 minutes',
    '3 hours',
    '42 days',
  ])
  expect([0, 42, 751, 3723].map(formatClock)).toEqual(['0:00', '0:42', '12:31', '1:02:03'])
  expect(formatCount(45_230)).toBe('45,230')
})

test('a sleep ends early on its signal and does not start after it', async () => {
  const stop = new AbortController()
  const sleeping = sleep(3_600_000, stop.signal)
  stop.abort()
  await sleeping
  await sleep(3_600_000, stop.signal)
})

test('times are RFC 3339 and pauses are spread around their length', () => {
  expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z')
  expect([0, 0.5, 1].map((random) => jittered(1000, () => random))).toEqual([750, 1000, 1250])
})

test('a text log has one line an entry, with the facts of its context, whatever a file is called', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'text', output_path: null, write: (line) => void lines.push(line) })
  log.with({ job_id: 'x', attempt: 2 }).info('converting a\nb', { source_path: '/a b\n.mp4' })
  log.debug('not written')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^\S+Z INFO {2}converting a\\nb job_id=x attempt=2 source_path="\/a b\\n\.mp4"\n$/)
})

test('a JSON log has one object a line, and a file gets every line before the call returns', () => {
  const path = join(temporaryFolder(), 'darkstream.log')
  const lines: string[] = []
  const log = createLog({ level: 'debug', format: 'json', output_path: path, write: (line) => void lines.push(line) })
  log.warn('careful', { job_id: 'x', attempt: 1, why: null })
  log.debug('detail')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    message: 'careful',
    job_id: 'x',
    attempt: 1,
    why: null,
  })
  expect(readFileSync(path, 'utf8')).toBe(lines.join(''))
})
