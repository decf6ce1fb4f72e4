import { loadConfig } from '../config/load.ts'
import { configRows, formatConfig } from '../config/show.ts'
import { profilesRow } from '../config/show-profiles.ts'
import { answer } from './ask.ts'
import { settingsOf } from './settings.ts'
import { type CommandArgs, UsageError } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const file = args.text('file') ?? args.text('config')
  const action = args.text('action')
  if (action === 'check') {
    if (file === undefined) throw new UsageError('which file? darkstream config check FILE')
    loadConfig({ file, environment: {}, flags: {} })
    process.stdout.write(`${file} is right\n`)
    return 0
  }
  if (action !== 'show') throw new UsageError(`config takes check or show, not ${JSON.stringify(action)}`)
  const loaded = file === undefined ? settingsOf(args) : loadConfig({ file, environment: process.env, flags: {} })
  answer(args, [...configRows(loaded), profilesRow(loaded.profiles)], () => formatConfig(loaded))
  return 0
}
