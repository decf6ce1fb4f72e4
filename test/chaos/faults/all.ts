import type { Fault } from '../fault.ts'
import { databaseFaults } from './database.ts'
import { diskFaults } from './disks.ts'
import { networkFaults } from './network.ts'
import { processFaults } from './processes.ts'
import { sourceFaults } from './sources.ts'
import { workerFaults } from './workers.ts'

/** Every fault that there is. */
export const allFaults: readonly Fault[] = [
  ...processFaults,
  ...networkFaults,
  ...diskFaults,
  ...sourceFaults,
  ...workerFaults,
  ...databaseFaults,
]
