import { expect, test } from 'bun:test'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryFolder } from '../support/program.ts'

/** What a short command logs to a file, told that another or this one is the journal. */
async function logged(isJournal: boolean): Promise<string[]> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'in'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const { dev, ino } = statSync(log)
  const environment = { LOG: log, JOURNAL_STREAM: `${dev}:${isJournal ? ino : ino + 1}`, DARKSTREAM_FFMPEG_GPU: 'off' }
  const prefix = ['sh', '-c', 'exec "$@" 2>"$LOG"', 'sh']
  const command = ['start', join(folder, 'in'), join(folder, 'out'), '--once', '--log-level', 'info']
  expect(await run(command, { environment, prefix })).toMatchObject({ code: 0 })
  return readFileSync(log, 'utf8').trim().split('\n')
}

test('the journal gets each line with its priority, and without the time that it notes itself', async () => {
  const lines = await logged(true)
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toMatch(/^<[346]>(ERROR|WARN|INFO) /)
})

test('a stream that is not the journal gets the time, and nothing else before it', async () => {
  const lines = await logged(false)
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (ERROR|WARN|INFO) /)
})
