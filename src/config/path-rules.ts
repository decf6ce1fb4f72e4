import { isAbsolute, relative, resolve, sep } from 'node:path'
import { splitMapping } from './path-mapping.ts'
import type { Rule } from './rule.ts'
import type { Sections } from './schema.ts'

/** What must hold between the keys that name files and folders. */
export const pathRules: readonly Rule[] = [
  {
    keys: ['scanner.output_base', 'scanner.root_path', 'replace.enabled'],
    conflict({ scanner, replace }) {
      if (replace.enabled || !isWithin(scanner.root_path, scanner.output_base)) return undefined
      return 'expected scanner.output_base to be another folder than scanner.root_path that does not contain it, or results would lie among the sources'
    },
  },
  {
    keys: ['storage.cache_path', 'scanner.root_path', 'scanner.output_base'],
    conflict({ scanner, storage }) {
      if (storage.cache_path === null || !isScanned(storage.cache_path, scanner)) return undefined
      return 'expected storage.cache_path to lie outside scanner.root_path, or what workers keep there would be taken for sources'
    },
  },
  {
    keys: ['logging.output_path', 'database.path'],
    conflict({ logging, database }) {
      if (logging.output_path === null || resolve(logging.output_path) !== resolve(database.path)) return undefined
      return 'expected logging.output_path to be another file than database.path, which lines would destroy'
    },
  },
  {
    keys: ['storage.path_map'],
    conflict({ storage }) {
      const targets = new Map<string, string>()
      for (const mapping of (storage.path_map ?? []).flatMap((text) => splitMapping(text) ?? [])) {
        const [from, to] = [mapping.from, mapping.to].map((path) => path.replace(/(?<=.)[\\/]+$/, '')) as [
          string,
          string,
        ]
        const earlier = targets.get(from)
        if (earlier !== undefined && earlier !== to) {
          return `expected each folder of the master once, found ${from} as ${earlier} and as ${to}`
        }
        targets.set(from, to)
      }
      return undefined
    },
  },
  {
    keys: ['storage.mode', 'storage.path_map'],
    is_doubt: true,
    conflict({ storage }) {
      if (storage.mode !== 'http' || storage.path_map === null) return undefined
      return 'storage.path_map is for mounts, and with storage.mode: http nothing is looked for on one'
    },
  },
  {
    keys: ['storage.mode', 'storage.mount_path'],
    is_doubt: true,
    conflict({ storage }) {
      if (storage.mode !== 'http' || storage.mount_path === null) return undefined
      return 'storage.mount_path is for mounts, and with storage.mode: http nothing is looked for on one'
    },
  },
]

/** Whether the scan looks into a folder: results are beside it, and it leaves hidden folders alone. */
function isScanned(path: string, { root_path, output_base }: Sections['scanner']): boolean {
  const isHidden = /(^|[\\/])\./.test(relative(resolve(root_path), resolve(path)))
  return isWithin(path, root_path) && !isHidden && !isWithin(path, output_base)
}

/** Whether a path is a folder itself or lies in it, by their names alone. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path))
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
