import { Database } from 'bun:sqlite'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { aMoment, anyWorker, aWhile, type Fault, meetWithin_ms, nothing, type Round } from '../fault.ts'
import { signalTo } from '../processes.ts'
import { encodesOf, haltPublication, meet, type Step, steps, waiting } from '../steps.ts'
import { lease_ms, type World } from '../world.ts'

/** kill -9, SIGSTOP and restarts. */
export const processFaults: readonly Fault[] = [
  ...steps.map((step) => ({ name: `kill-worker@${step}`, inject: (round: Round) => killWorker(round, step) })),
  ...steps.map((step) => ({ name: `kill-master@${step}`, inject: (round: Round) => killMaster(round, step) })),
  ...(['encoding', 'verifying'] as const).map((step) => ({
    name: `kill-ffmpeg@${step}`,
    inject: (round: Round) => killTool(round, step),
  })),
  { name: 'freeze-worker', inject: freezeWorker },
  { name: 'freeze-ffmpeg', inject: freezeTool },
  { name: 'freeze-master', inject: freezeMaster },
  { name: 'master-away', inject: masterAway },
  { name: 'restart-both', inject: restartBoth },
]

async function killWorker(round: Round, step: Step) {
  const met = await meet(step, round.world, meetWithin_ms)
  if (!met) round.missed(`nothing was ${step}`)
  await (met?.worker ?? anyWorker(round)).kill()
  // Sometimes within its lease, sometimes after it.
  return async () => aWhile(round, 0, 2 * lease_ms)
}

async function killMaster(round: Round, step: Step) {
  const { world } = round
  const met = await (step === 'publishing' ? haltPublication(world, meetWithin_ms) : meet(step, world, meetWithin_ms))
  await world.master.kill()
  if (!met) round.missed(`nothing was ${step}`)
  else if (step === 'publishing' && unpublished(world) === 0) round.missed('the publication had ended')
  return async () => aWhile(round, 0, 2 * lease_ms)
}

async function killTool(round: Round, step: Step) {
  const met = await meet(step, round.world, meetWithin_ms)
  if (met?.tool) signalTo(met.tool.pid, 'SIGKILL')
  else round.missed(`nothing was ${step}`)
  return nothing
}

async function freezeWorker(round: Round) {
  const step = round.random.pick(steps)
  const met = await meet(step, round.world, meetWithin_ms)
  if (!met) round.missed(`nothing was ${step}`)
  const worker = met?.worker ?? anyWorker(round)
  worker.signal('SIGSTOP')
  return async () => {
    await aWhile(round, lease_ms * 1.5, lease_ms * 3)
    worker.signal('SIGCONT')
  }
}

async function freezeTool(round: Round) {
  const met = await meet('encoding', round.world, meetWithin_ms)
  if (met?.tool) signalTo(met.tool.pid, 'SIGSTOP')
  else round.missed('nothing was encoding')
  // The worker must notice by itself.
  return nothing
}

async function freezeMaster(round: Round) {
  const { master } = round.world
  await aMoment(round)
  master.signal('SIGSTOP')
  return async () => {
    await aWhile(round, lease_ms * 1.5, lease_ms * 3)
    master.signal('SIGCONT')
  }
}

/** Until an encode has ended without it. */
async function masterAway(round: Round) {
  const { world } = round
  const met = await meet('encoding', world, meetWithin_ms)
  await world.master.kill()
  if (!met) round.missed('nothing was encoding')
  return async () => {
    for (let looks = 0; looks < 200; looks++) {
      if (world.workers.some(({ work_base }) => waiting(work_base) > 0)) return
      await Bun.sleep(100)
    }
    round.missed('no encode ended')
  }
}

async function restartBoth(round: Round) {
  const { world, random } = round
  await aMoment(round)
  const victims = random.chance(0.5) ? [anyWorker(round)] : world.workers
  await Promise.all([world.master, ...victims].map((node) => node.kill()))
  const orphans = await encodesOf(world)
  if (victims.length === world.workers.length && orphans.length > 0) await Bun.sleep(500)
  return async () => {
    for (const node of random.shuffled([world.master, ...victims])) node.start()
  }
}

/** Publications that a killed master has begun and not ended; read from a copy, so that its database stays as it fell. */
function unpublished({ base, database }: World): number {
  const folder = mkdtempSync(join(base, 'copy-'))
  try {
    for (const end of ['', '-wal']) {
      if (existsSync(database + end)) copyFileSync(database + end, join(folder, `jobs.db${end}`))
    }
    using db = new Database(join(folder, 'jobs.db'))
    const sql = "SELECT count(*) AS n FROM jobs WHERE status = 'processing' AND publish_size IS NOT NULL"
    return db.query<{ n: number }, []>(sql).get()?.n ?? 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
