import { existsSync } from 'node:fs'
import type { FlagValue, LoadedConfig } from '../config/load.ts'
import { loadConfig } from '../config/load.ts'
import { formatConfigProblems } from '../config/problems.ts'
import type { Log } from '../util/log.ts'
import type { Role } from './service-unit.ts'
import type { CommandArgs } from './usage.ts'

/** Read when no `--config` names another and it is there: where the original's programs looked. */
const usualFile = 'config.yaml'

/** Flags that set a key of the configuration, by the flag's name. */
const keyOfFlag = {
  host: 'server.host',
  port: 'server.port',
  'master-url': 'worker.master_url',
  master: 'worker.master_url',
  token: 'worker.token',
  ca: 'worker.ca',
  pin: 'worker.pin',
  id: 'worker.id',
  concurrency: 'worker.concurrency',
  codec: 'conversion.codec',
  resolution: 'conversion.target_resolution',
  bitrate: 'conversion.bitrate',
  preset: 'conversion.preset',
  'audio-codec': 'conversion.audio_codec',
  'audio-bitrate': 'conversion.audio_bitrate',
  container: 'conversion.container',
  'log-level': 'logging.level',
  'log-format': 'logging.format',
} as const

/**
 * The configuration of a command: file, environment, flags.
 *
 * @throws ConfigError with everything that is wrong
 */
export function settingsOf(
  args: CommandArgs,
  more: { flags?: Record<string, FlagValue>; usual_file?: boolean } = {},
): LoadedConfig {
  const isUsual = (more.usual_file ?? true) && existsSync(usualFile)
  const typed = Object.entries(keyOfFlag).flatMap(([flag, key]) => {
    const value = args.text(flag)
    return value === undefined ? [] : [[key, { name: `--${flag}`, value }] as const]
  })
  return loadConfig({
    file: args.text('config') ?? (isUsual ? usualFile : null),
    environment: process.env,
    flags: { ...Object.fromEntries(typed), ...more.flags },
  })
}

/** Warns of what is hardly meant as it stands, where it is this role's. */
export function tellDoubts({ doubts }: LoadedConfig, role: Role, log: Log): void {
  const own = doubts.filter(({ key }) => (role === 'master') === (key?.startsWith('server.') ?? false))
  for (const problem of own) log.warn(formatConfigProblems({ problems: [problem] }))
}
