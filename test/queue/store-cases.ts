import { describe, test } from 'bun:test'
import { attemptCases } from './cases/attempts.ts'
import { claimCases } from './cases/claims.ts'
import { completionCases } from './cases/completions.ts'
import { failureCases } from './cases/failures.ts'
import { historyCases } from './cases/history.ts'
import { leaseCases } from './cases/leases.ts'
import { operationCases } from './cases/operations.ts'
import { ownershipCases } from './cases/ownership.ts'
import { pageCases } from './cases/pages.ts'
import { ranOnCases } from './cases/ran-on.ts'
import { refusalCases } from './cases/refusals.ts'
import { ruleCases } from './cases/rules.ts'
import { sizeCases } from './cases/sizes.ts'
import { skipCases } from './cases/skips.ts'
import { replacementCases } from './cases/replacements.ts'
import { sourceCases } from './cases/sources.ts'
import { standingCases } from './cases/standings.ts'
import { totalsCases } from './cases/totals.ts'
import { workerCases } from './cases/workers.ts'
import { type Check, createWorld, type Subject } from './cases/world.ts'

const themes: Record<string, (check: Check) => void> = {
  sources: sourceCases,
  claims: claimCases,
  'sizes of sources': sizeCases,
  ownership: ownershipCases,
  leases: leaseCases,
  failures: failureCases,
  refusals: refusalCases,
  standings: standingCases,
  replacements: replacementCases,
  'operations by state': operationCases,
  attempts: attemptCases,
  history: historyCases,
  'what it ran on': ranOnCases,
  skips: skipCases,
  'rules of profiles': ruleCases,
  totals: totalsCases,
  'pages of jobs': pageCases,
  completions: completionCases,
  workers: workerCases,
}

/** What every store must do, run against one implementation: each case on an empty queue of its own, which `prepare` makes. */
export function storeCases(name: string, prepare: () => Promise<Subject>): void {
  const check: Check = (title, proof) =>
    test(title, async () => {
      const world = await createWorld(await prepare())
      try {
        await proof(world)
      } finally {
        await world.end()
      }
    })
  describe(name, () => {
    for (const [theme, cases] of Object.entries(themes)) describe(theme, () => cases(check))
  })
}
