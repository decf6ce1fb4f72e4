import type { TinyDisk } from '../../support/tiny-disk.ts'
import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import { aMoment, anyWorker, aWhile, type Fault, type Round } from '../fault.ts'
import type { World } from '../world.ts'

const lacks = ({ disks }: World) => (disks ? undefined : 'mounts are not allowed here')

/** Disks that are full, read-only or not there. */
export const diskFaults: readonly Fault[] = [
  { name: 'full-output', lacks, inject: (round) => fill(round, round.world.disks?.output) },
  { name: 'full-database', lacks, inject: fillDatabase },
  { name: 'full-cache', lacks, inject: (round) => fill(round, round.world.disks?.caches[anyWorker(round).number]) },
  { name: 'read-only-output', lacks, inject: readOnlyOutput },
  { name: 'storage-away', inject: storageAway },
]

async function fill(round: Round, disk: TinyDisk | undefined) {
  await aMoment(round)
  disk?.fill(round.random.pick([0, 0, 100_000]))
  return async () => {
    await aWhile(round, 1000, 5000)
    disk?.clear()
  }
}

/** After a fresh start: a log that has grown already gives the database room for a while. */
async function fillDatabase(round: Round) {
  const { master, disks, up } = round.world
  master.signal('SIGTERM')
  await master.ended(30_000)
  await master.kill()
  await up()
  return fill(round, disks?.database)
}

/** Another mount of the same over it: what is open stays writable, as no system would remount it otherwise. */
async function readOnlyOutput(round: Round) {
  const { output } = round.world
  await aMoment(round)
  const isMounted =
    Bun.spawnSync(['mount', '--bind', output, output]).success &&
    Bun.spawnSync(['mount', '-o', 'remount,bind,ro', output]).success
  if (!isMounted) round.missed('could not be mounted read-only')
  return async () => {
    await aWhile(round, 1000, 3000)
    Bun.spawnSync(['umount', '-l', output])
  }
}

/** The mount point stays, with nothing in it. */
async function storageAway(round: Round) {
  const { source } = round.world
  const away = `${source}-away`
  await aMoment(round)
  renameSync(source, away)
  mkdirSync(source)
  return async () => {
    await aWhile(round, 1000, 5000)
    rmdirSync(source)
    renameSync(away, source)
  }
}
