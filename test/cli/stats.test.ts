import { expect, test } from 'bun:test'
import { statsText } from '../../src/cli/stats.ts'
import { path, statsReport } from './report-samples.ts'

test('what conversions ran on is a table of jobs and fallbacks by path, with the last reason', () => {
  const cpu = path({ encoder: 'libx264', decode: 'cpu', filter: 'cpu', device: null })
  const paths = [path({ jobs: 12_000 }), { ...cpu, jobs: 450, fell_back: 12, last_reason: 'it hung\u001b[2J' }]
  expect(statsText(statsReport({ paths }))).toEndWith(String.raw`
Ran on                                          jobs    fallbacks  last reason
h264_vulkan on a GPU, decoded and scaled there  12,000  0
libx264 on the CPU                              450     12         it hung\u001b[2J
`)
})

test('skipped jobs have a figure of their own', () => {
  const report = statsReport()
  const text = statsText({ ...report, jobs: { ...report.jobs, skipped: 1200 } })
  expect(text).toMatch(/^jobs skipped +1,200$/m)
})

test('before anything ran there is no such table, and what went wrong follows the figures', () => {
  const text = statsText(statsReport({ failures: [{ error_message: 'disk full', count: 3 }] }))
  expect(text).not.toContain('Ran on')
  expect(text).toEndWith('since 2026-03-01T11:00:00.000Z\n\nFailures:\n  3 x disk full\n')
})
