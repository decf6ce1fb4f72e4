import type { RanOn } from '../../contract/gpu.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

/** Characters kept of a path's last reason. */
const longestReason = 1000

/** Counts a completion under what it ran on. To be called in the transaction that completes the job. */
export function countPath(db: Connection, ran_on: RanOn): void {
  const { decode, filter, encoder, device, fell_back, reasons } = ran_on
  db.change(statements.countPath, {
    decode,
    filter,
    encoder,
    device: device === '' ? null : device,
    fell_back: fell_back ? 1 : 0,
    reason: reasons.length === 0 ? null : reasons.join('; ').slice(0, longestReason),
  })
}
