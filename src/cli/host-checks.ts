import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { readKeyPair } from '../api/key-pair.ts'
import { tryAddress } from '../api/server.ts'
import { isOpen } from '../config/open-door.ts'
import type { Config, KeyName } from '../config/schema.ts'
import { findTools } from '../pipeline/tools.ts'
import { cachePath, refuseSharedCache } from './build-worker.ts'
import { certificateFiles, endOf, type OwnCertificate } from './certificate.ts'
import { childEnvironment } from './child-environment.ts'
import { readSecret, secretPath } from './cluster-secret.ts'
import { whyNoDatabase, whyNoFolder, whyNoRoom, whyNotMounted, whyNotSecret, whyNotWritten } from './look-at-file.ts'
import { readRoots } from './master-request.ts'
import { ownToken } from './own-token.ts'
import type { Role } from './service-unit.ts'

/** Something that a role needs of its host. */
export interface HostCheck {
  role: Role | 'both'
  key: KeyName
  /** Whether the role starts without it. */
  is_doubt?: true
  /** What is wrong, or undefined; may throw what the role itself would end with. Changes nothing. */
  look: (config: Config) => string | undefined | void | Promise<string | undefined | void>
}

/** What master and worker look at when they start, and what leaves them without work when it is missing. */
export const hostChecks: readonly HostCheck[] = [
  { role: 'both', key: 'logging.output_path', look: ({ logging }) => ifSet(logging.output_path, whyNotWritten) },
  { role: 'master', key: 'database.path', look: whyNoQueue },
  { role: 'master', key: 'server.host', look: ({ server }) => tryAddress({ host: server.host, port: 0 }) },
  { role: 'master', key: 'server.port', look: ({ server }) => tryPort(server) },
  { role: 'master', key: 'server.tls_cert', look: (config) => void readCertificate(config) },
  { role: 'master', key: 'server.tls_cert', is_doubt: true, look: (config) => ifSet(readCertificate(config), endOf) },
  { role: 'master', key: 'server.tls_key', is_doubt: true, look: ({ server }) => ifSet(server.tls_key, whyNotSecret) },
  { role: 'master', key: 'scanner.root_path', is_doubt: true, look: ({ scanner }) => whyNoFolder(scanner.root_path) },
  { role: 'master', key: 'scanner.output_base', is_doubt: true, look: whyNoResults },
  { role: 'worker', key: 'worker.ca', look: ({ worker }) => void ifSet(worker.ca, readRoots) },
  { role: 'worker', key: 'worker.token_file', look: ({ worker }) => void ownToken(worker) },
  {
    role: 'worker',
    key: 'worker.token_file',
    is_doubt: true,
    look: ({ worker }) => ifSet(worker.token_file, whyNotSecret),
  },
  { role: 'worker', key: 'storage.cache_path', look: ({ storage }) => whyNoCache(cachePath(storage.cache_path)) },
  { role: 'worker', key: 'storage.mount_path', is_doubt: true, look: whyNoMount },
  { role: 'worker', key: 'ffmpeg.path', look: ({ ffmpeg }) => tryFfmpeg(ffmpeg.path) },
]

function ifSet<T, R>(value: T | null | undefined, look: (value: T) => R): R | undefined {
  return value === null || value === undefined ? undefined : look(value)
}

function whyNoQueue({ database, server }: Config): string | undefined {
  const path = resolve(database.path)
  const why = whyNoDatabase(path)
  const secret = secretPath(path)
  if (why !== undefined || isOpen(server) || !existsSync(secret) || readSecret(path) !== undefined) return why
  return `the cluster's secret ${secret} is there and cannot be read, or is no secret of ours: move it away`
}

/** Only the rights to it: what has it now may be the master that is to be started anew. */
function tryPort({ host, port }: Config['server']): void {
  try {
    tryAddress({ host, port })
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code === 'EACCES') throw error
  }
}

/** Undefined without TLS, and where the master will make its own. */
function readCertificate(config: Config): OwnCertificate | undefined {
  const files = certificateFiles(config)
  if (files === undefined || (config.server.self_signed && !existsSync(files.cert))) return undefined
  return { files, pair: readKeyPair(files) }
}

function whyNoResults({ scanner, replace }: Config): string | undefined {
  return replace.enabled ? undefined : whyNoRoom(scanner.output_base)
}

function whyNoCache(path: string): string | undefined {
  const why = whyNoRoom(path)
  if (why === undefined && existsSync(path)) refuseSharedCache(realpathSync(path))
  return why
}

function whyNoMount({ storage }: Config): string | undefined {
  return storage.mode === 'http' ? undefined : ifSet(storage.mount_path, whyNotMounted)
}

async function tryFfmpeg(path: string): Promise<void> {
  await findTools({ ffmpeg_path: path, environment: childEnvironment(), signal: AbortSignal.timeout(30_000) })
}
