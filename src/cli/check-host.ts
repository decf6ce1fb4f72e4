import type { LoadedConfig } from '../config/load.ts'
import type { ConfigProblem } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { place } from '../config/setting.ts'
import { DarkstreamError } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import { type HostCheck, hostChecks } from './host-checks.ts'
import { whyNotSecret } from './look-at-file.ts'
import type { Role } from './service-unit.ts'

/** What a host lacks for a configuration; at most one problem a key. */
export interface HostFindings {
  /** For these the role would not start here. */
  faults: ConfigProblem[]
  doubts: ConfigProblem[]
}

/**
 * Looks on this host for what a configuration names, by what the roles themselves do at their start. Without a role nobody
 * knows whether this is the host that is meant: then only what somebody set is looked at, and all that is found is a doubt.
 */
export async function checkHost({ config, origins }: LoadedConfig, role: Role | undefined): Promise<HostFindings> {
  const found: HostFindings = { faults: [], doubts: [] }
  for (const check of hostChecks) {
    const { key } = check
    const isAsked = role === undefined ? origins[key] !== 'default' : check.role === role || check.role === 'both'
    const isKnown = [...found.faults, ...found.doubts].some((problem) => problem.key === key)
    const message = isAsked && !isKnown ? await lookBy(check, config) : undefined
    if (message === undefined) continue
    const list = role === undefined || check.is_doubt ? found.doubts : found.faults
    list.push({ ...place(origins[key]), key, message })
  }
  const origin = origins['worker.token']
  const isOpen = typeof origin === 'object' && 'file' in origin ? whyNotSecret(origin.file) : undefined
  if (isOpen !== undefined) found.doubts.push({ ...place(origin), key: 'worker.token', message: isOpen })
  return found
}

/** What a check comes to, in words. */
async function lookBy({ look }: HostCheck, config: Config): Promise<string | undefined> {
  try {
    return (await look(config)) ?? undefined
  } catch (error) {
    if (error instanceof DarkstreamError || error instanceof ConversionError) return error.message
    throw error
  }
}
