import { stringify } from 'yaml'
import type { LoadedConfig } from './load.ts'
import { printable } from '../util/format.ts'
import { formatProfiles } from './show-profiles.ts'
import { type KeyName, keys, type Sections } from './schema.ts'
import type { Origin } from './setting.ts'
import type { Plain } from './values.ts'

/** One effective setting. */
export interface ConfigRow {
  key: KeyName
  /** As in Config: milliseconds, bits per second. */
  value: unknown
  /** As people write it: `2h`, `5M`; null as the key says. */
  written: Plain | null
  origin: Origin
  doc: string
}

/** For these it means something of its own whether they are set: what is a default must not be written as a setting. */
const leftUnset = new Set<KeyName>(['worker.master_url', 'worker.heartbeat_interval', 'queue.worker_timeout'])

/** In the place of a secret; as people write it, it is left out. */
const hidden = '***'

/** Every key in the order of the schema, with its value and where that came from; plain data for JSON. */
export function configRows({ config, origins }: LoadedConfig): ConfigRow[] {
  return [...keys].map(([key, { type, doc }]) => {
    const value = valueOf(config, key)
    const written = value === null ? null : type.format(value)
    const shown = value !== null && type.isSecret ? { value: hidden, written: null } : { value, written }
    return { key, ...shown, origin: origins[key], doc }
  })
}

/** The same as YAML that can be loaded again; behind each value stands where it came from. */
export function formatConfig(loaded: LoadedConfig): string {
  const rows = configRows(loaded).map((row) => {
    const [section = '', name = ''] = row.key.split('.')
    const isUnset = row.origin === 'default' && leftUnset.has(row.key)
    const remark = isUnset ? String(row.written) : remarkOn(row)
    const comment = `# ${describeOrigin(row.origin)}${remark === undefined ? '' : `: ${remark}`}`
    return { section, setting: `  ${name}: ${yamlOf(isUnset ? null : row.written)}`, comment }
  })
  // A long list of extensions must not push all comments out of sight.
  const width = Math.max(...rows.map(({ setting }) => setting.length).filter((length) => length <= 60))
  let section = ''
  let text = ''
  for (const row of rows) {
    if (row.section !== section) text += `${section === '' ? '' : '\n'}${row.section}:\n`
    section = row.section
    text += `${row.setting.padEnd(width)}  ${row.comment}\n`
  }
  return `${text}\n${formatProfiles(loaded.profiles)}`
}

function remarkOn({ key, value }: ConfigRow): string | undefined {
  if (value === hidden) return 'a secret, not shown'
  return value === null ? keys.get(key)?.nullMeans : undefined
}

/** `default`, `config.yaml:12`, `DARKSTREAM_SERVER_PORT` or `--port`. */
export function describeOrigin(origin: Origin): string {
  if (origin === 'default') return 'default'
  if ('file' in origin) return `${printable(origin.file)}:${origin.line}`
  return printable('flag' in origin ? origin.flag : origin.environment)
}

function valueOf(config: Sections, key: KeyName): unknown {
  const [section, name] = key.split('.')
  const sections: Record<string, Record<string, unknown>> = config
  return sections[section ?? '']?.[name ?? '']
}

function yamlOf(written: Plain | null): string {
  return stringify(written, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd()
}
