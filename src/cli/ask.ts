import { resolve } from 'node:path'
import { createClient } from '../api/client.ts'
import type { Api } from '../contract/api.ts'
import { localPin } from './certificate.ts'
import { readSecret } from './cluster-secret.ts'
import { masterRequest } from './master-request.ts'
import { ownToken } from './own-token.ts'
import { settingsOf } from './settings.ts'
import type { CommandArgs } from './usage.ts'

/**
 * The master that a command asks: `--master-url`, or what the configuration says, on the master's own host its port; with
 * the token that this host was given, or the secret of a master whose queue lies here.
 */
export function masterOf(args: CommandArgs): Api {
  const { config, origins } = settingsOf(args, { usual_file: false })
  const { worker } = config
  // Who may read the secret of a master on this host may do all that it can.
  const token = ownToken(worker) ?? readSecret(resolve(config.database.path))?.admin
  if (origins['worker.master_url'] !== 'default') return createClient(worker.master_url, masterRequest(worker, token))
  // The certificate that lies here is known, whatever names it has.
  const pin = worker.pin ?? localPin(config) ?? null
  const url = `${pin === null ? 'http' : 'https'}://localhost:${config.server.port || 8080}${config.server.base_path}`
  return createClient(url, masterRequest({ ...worker, pin }, token))
}

/** A flag's number as the wire takes it; what is not one is refused by the contract's own check. */
export function numberFlag(args: CommandArgs, name: string): number | undefined {
  const value = args.text(name)
  return value === undefined ? undefined : Number(value)
}

/** Prints an answer: as JSON for programs when asked, else as text for people. */
export function answer(args: CommandArgs, data: unknown, text: () => string): void {
  process.stdout.write(args.flag('json') ? `${JSON.stringify(data, null, 2)}\n` : text())
}
