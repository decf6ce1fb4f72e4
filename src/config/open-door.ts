import { isLoopback } from '../util/loopback.ts'
import type { Sections } from './schema.ts'

/** Whether a master lets everybody in who reaches its port, without a token. */
export function isOpen({ insecure, host }: Sections['server']): boolean {
  return insecure ?? isLoopback(host)
}
