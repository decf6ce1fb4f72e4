import { dirname } from 'node:path'
import { splitMapping } from '../config/path-mapping.ts'
import type { Config } from '../config/schema.ts'
import { cacheFolder, inState, type ServiceRequest, stateFolder } from './service-unit.ts'

/** What a service's account must be able to do with a path. */
export interface Need {
  /** What the path is to the service, as a person knows it: a key of the configuration, or a word. */
  what: string
  path: string
  /** `use` is reading, of a folder also what lies in it. */
  access: 'run' | 'use' | 'write'
  /** A file that the account's group may be let read: nobody else has use for it. */
  can_open?: true
  /** Where it is not there: a folder is made when the one that it lies in is there; else that is told, unless told here. */
  if_missing?: 'make' | 'nothing'
  /** Where the account may not: there is no service, unless told here. */
  if_denied?: 'tell'
}

/** What a service needs beyond the folders that systemd gives it, in the order of its start. */
export function needsOf({ role, executable, config_path, config }: ServiceRequest): Need[] {
  const needs: Need[] = [
    { what: 'the program', path: executable, access: 'run' },
    { what: 'the configuration', path: config_path, access: 'use', can_open: true },
    ...(role === 'master' ? masterNeeds(config) : workerNeeds(config)),
    ...fileNeeds('logging.output_path', config.logging.output_path),
  ]
  return needs.filter(({ access, path }) => access !== 'write' || !isGiven(path))
}

/** Whether systemd gives the service the folder that holds a path. */
function isGiven(path: string): boolean {
  return [stateFolder, cacheFolder].some((own) => `${path}/`.startsWith(`${own}/`))
}

function masterNeeds({ scanner, server, database, replace }: Config): Need[] {
  const [sources, results] = [inState(scanner.root_path), inState(scanner.output_base)]
  return [
    ...readNeeds('server.tls_cert', server.tls_cert),
    ...readNeeds('server.tls_key', server.tls_key),
    ...fileNeeds('database.path', database.path),
    { what: 'scanner.root_path', path: sources, access: replace.enabled ? 'write' : 'use' },
    ...(replace.enabled ? [] : [results]).map((path): Need => ({
      what: 'scanner.output_base',
      path,
      access: 'write',
      if_missing: 'make',
    })),
  ]
}

/** Storage that a worker cannot use is no obstacle: sources and results then travel over HTTP. */
function workerNeeds({ worker, storage, scanner }: Config): Need[] {
  const cache = storage.cache_path === null ? [] : [inState(storage.cache_path)]
  const mapped = (storage.path_map ?? []).flatMap((text) => splitMapping(text)?.to ?? [])
  const results = storage.path_map === null ? [inState(scanner.output_base)] : mapped
  return [
    ...readNeeds('worker.token_file', worker.token_file).map((need): Need => ({ ...need, can_open: true })),
    ...readNeeds('worker.ca', worker.ca),
    ...cache.map((path): Need => ({ what: 'storage.cache_path', path, access: 'write', if_missing: 'make' })),
    ...readNeeds('storage.mount_path', storage.mount_path),
    ...results.map((path): Need => ({
      what: 'storage',
      path,
      access: 'write',
      if_missing: 'nothing',
      if_denied: 'tell',
    })),
  ]
}

function readNeeds(what: string, path: string | null): Need[] {
  return path === null ? [] : [{ what, path: inState(path), access: 'use' }]
}

/** A file that is written, with others beside it. */
function fileNeeds(what: string, path: string | null): Need[] {
  if (path === null) return []
  const folder = `the folder of ${what}`
  return [
    { what: folder, path: dirname(inState(path)), access: 'write', if_missing: 'make' },
    { what, path: inState(path), access: 'write', if_missing: 'nothing' },
  ]
}
