import { isLoopback } from '../util/loopback.ts'
import { isOpen } from './open-door.ts'
import type { Origins, Rule } from './rule.ts'
import type { Sections } from './schema.ts'

/** Who was told no address, but whom to believe, dials by TLS. */
const dialsPlainly = ({ worker }: Sections, { isSet }: Origins) =>
  isSet('worker.master_url') && worker.master_url.startsWith('http:')
const hasTls = ({ server }: Sections) => server.tls_cert !== null || server.self_signed

/** What must hold between the keys that say who may come in, and how two hosts know each other. */
export const accessRules: readonly Rule[] = [
  {
    keys: ['worker.pin', 'worker.master_url'],
    conflict(config, from) {
      if (config.worker.pin === null || !dialsPlainly(config, from)) return undefined
      return 'expected worker.master_url to be https:// with worker.pin (--pin): without TLS there is no certificate to know the master by'
    },
  },
  {
    keys: ['worker.ca', 'worker.master_url'],
    conflict(config, from) {
      if (config.worker.ca === null || !dialsPlainly(config, from)) return undefined
      return 'expected worker.master_url to be https:// with worker.ca (--ca): without TLS there is no certificate that a root could have signed'
    },
  },
  {
    keys: ['worker.token', 'worker.token_file'],
    conflict({ worker }) {
      if (worker.token === null || worker.token_file === null) return undefined
      return 'expected worker.token or worker.token_file, found both: leave one out, best worker.token'
    },
  },
  {
    keys: ['server.tls_cert', 'server.tls_key'],
    conflict({ server: { tls_cert, tls_key } }) {
      if ((tls_cert === null) === (tls_key === null)) return undefined
      const missing = tls_cert === null ? 'cert (server.tls_cert)' : 'key (server.tls_key)'
      return `expected server.tls to have cert and key, found no ${missing}`
    },
  },
  {
    keys: ['server.self_signed', 'server.tls_cert', 'server.tls_key'],
    conflict({ server: { self_signed, tls_cert, tls_key } }) {
      if (!self_signed || (tls_cert === null && tls_key === null)) return undefined
      return 'expected server.self_signed (--self-signed) to be false with server.tls, which has a certificate already'
    },
  },
  ...(['worker.token', 'worker.token_file'] as const).flatMap(unaskedToken),
  {
    keys: ['server.tls_cert', 'server.self_signed', 'worker.master_url'],
    is_doubt: true,
    conflict(config, from) {
      if (!hasTls(config) || !dialsPlainly(config, from)) return undefined
      return 'a master with TLS speaks HTTPS only, and worker.master_url is http://: right only through a proxy in between'
    },
  },
  {
    keys: ['server.base_path', 'server.port', 'worker.master_url'],
    is_doubt: true,
    conflict({ server: { base_path, port }, worker }, { isSet }) {
      const url = new URL(worker.master_url)
      const isDirect = isSet('worker.master_url') && url.port === String(port)
      if (base_path === '/' || !isDirect || url.pathname.replace(/\/$/, '') === base_path) return undefined
      return `the master answers below ${base_path}, and worker.master_url leads elsewhere: write ${url.origin}${base_path}, unless a proxy adds it`
    },
  },
  {
    keys: ['server.trusted_proxies', 'server.host', 'server.insecure', 'server.allowed_hosts'],
    is_doubt: true,
    conflict({ server }) {
      if (server.trusted_proxies === null || server.allowed_hosts !== null) return undefined
      if (!isLoopback(server.host) || !isOpen(server)) return undefined
      return 'a master on this machine alone that asks for no tokens refuses what a proxy passes on under other names: set server.insecure: false, or server.allowed_hosts'
    },
  },
  {
    keys: ['server.trusted_proxies'],
    is_doubt: true,
    conflict({ server }) {
      const all = server.trusted_proxies?.find((network) => network.endsWith('/0'))
      return all && `${all} is everybody: whoever asks may say that he is somebody else`
    },
  },
  {
    keys: ['server.allowed_hosts', 'server.insecure', 'server.host'],
    is_doubt: true,
    conflict({ server }) {
      if (server.allowed_hosts === null || isOpen(server)) return undefined
      return 'it counts only where nobody needs a token; this master asks for tokens, and answers under any name'
    },
  },
]

/** A file that says both was written in error; a flag or a variable may open a master for once. */
function unaskedToken(key: 'worker.token' | 'worker.token_file'): Rule[] {
  const keys = ['server.insecure', 'server.host', key] as const
  const isUnasked = ({ server, worker }: Sections) =>
    (key === 'worker.token' ? worker.token : worker.token_file) !== null &&
    server.insecure === true &&
    !isLoopback(server.host)
  const isOneFile = ({ isInFile }: Origins) => isInFile('server.insecure') && isInFile(key)
  const why = 'an open master asks nobody for a token'
  return [
    {
      keys,
      conflict(config, from) {
        if (!isUnasked(config) || !isOneFile(from)) return undefined
        return `expected server.insecure to be false with ${key}: ${why}, so leave one of the two out`
      },
    },
    {
      keys,
      is_doubt: true,
      conflict(config, from) {
        return isUnasked(config) && !isOneFile(from) ? `${why}, and ${key} is set` : undefined
      },
    },
  ]
}
