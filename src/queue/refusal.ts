/** Distinct workers that must have been unable to do a job before it is failed for good. */
export const workersToFail = 3

/** Of a job that so many workers could not do; the last one's reason. */
export function triedByAll(workers: readonly string[], reason: string): string {
  return `${workers.length} workers failed it (${workers.join(', ')}), the last: ${reason}`
}

/** Of a job that its worker cannot do while no other is there: it will be tried again, by that one if need be. */
export function nobodyThere(reason: string): string {
  return `no other worker is there to try: ${reason}`
}

/** Of a job that was offered to others until none of them was left, or for too long. */
export function nobodyTook(reason: string | null): string {
  return `no other worker took it${reason === null ? '' : `: ${reason}`}`
}
