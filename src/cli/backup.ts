import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { backUpDatabase } from '../queue/sqlite/backup.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import { answer } from './ask.ts'
import { settingsOf } from './settings.ts'
import { type CommandArgs, UsageError } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const file = args.text('file')
  if (file === undefined) throw new UsageError('into which file? darkstream backup FILE')
  const database = resolve(settingsOf(args).config.database.path)
  const size = statSync(database, { throwIfNoEntry: false })?.size
  if (size !== undefined) process.stderr.write(`copying ${printable(database)} (${formatBytes(size)})\n`)
  const began = performance.now()
  const backup = backUpDatabase(database, resolve(file))
  const seconds = (performance.now() - began) / 1000
  const told = { database, path: backup.path, size_bytes: backup.size_bytes, jobs: backup.jobs, seconds }
  answer(args, told, () => {
    const holds = `${formatCount(backup.jobs)} ${backup.jobs === 1 ? 'job' : 'jobs'}, ${formatBytes(backup.size_bytes)}`
    return `${printable(backup.path)} holds ${holds}: copied and checked in ${formatDuration(seconds)}\n`
  })
  return 0
}
