import { createClient } from '../api/client.ts'
import type { Origin } from '../config/setting.ts'
import type { Api } from '../contract/api.ts'
import { isMasterNamed, isThisMachine, localMaster } from './local-master.ts'
import { masterRequest } from './master-request.ts'
import { ownToken } from './own-token.ts'
import { settingsOf } from './settings.ts'
import type { CommandArgs } from './usage.ts'

/**
 * The master that a command asks: `--master-url`, or what the configuration says, on the master's own host its port; with
 * the token that it was told, else at the master of this machine the owner's own, else the one of this host's worker.
 */
export function masterOf(args: CommandArgs): Api {
  const settings = settingsOf(args, { usual_file: false })
  const { config, origins } = settings
  const { worker } = config
  const { url, pin, secret } = localMaster(config)
  const isNamed = isMasterNamed(settings)
  // A file's token is the worker's, which may do less than who may read the master's secret.
  const isTold = (['worker.token', 'worker.token_file'] as const).some((key) => isGivenNow(origins[key]))
  const owners = !isNamed || isThisMachine(worker.master_url) ? secret?.admin : undefined
  const token = (isTold ? ownToken(worker) : owners) ?? ownToken(worker)
  if (isNamed) return createClient(worker.master_url, masterRequest(worker, token))
  return createClient(url, masterRequest({ ...worker, pin }, token))
}

function isGivenNow(origin: Origin): boolean {
  return origin !== 'default' && !('file' in origin)
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
