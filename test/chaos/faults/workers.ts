import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { aMoment, anyWorker, aWhile, type Fault, type Round } from '../fault.ts'
import { Node } from '../node.ts'
import { lease_ms } from '../world.ts'

/** Workers that are set up wrongly. */
export const workerFaults: readonly Fault[] = [
  { name: 'two-of-one-id', inject: twoOfOneId },
  { name: 'other-time-zone', inject: (round) => restartWith(round, { TZ: round.random.pick(zones) }) },
  { name: 'wrong-clock', lacks: lacksCompiler, inject: wrongClock },
  { name: 'failing-worker', inject: (round) => restartWith(round, { DARKSTREAM_FFMPEG_PATH: tool(round, 'failing') }) },
  { name: 'hanging-ffmpeg', inject: (round) => restartWith(round, { DARKSTREAM_FFMPEG_PATH: tool(round, 'hanging') }) },
]

/** From 14 hours before to 12 hours after, and one whose offset is no whole hour. */
const zones = ['Pacific/Kiritimati', 'Etc/GMT+12', 'Asia/Kathmandu']

const tool = ({ world }: Round, name: 'failing' | 'hanging') => join(world.base, name, 'ffmpeg')

async function restartWith(round: Round, environment: Record<string, string>) {
  const worker = anyWorker(round)
  await aWhile(round, 0, 1500)
  await worker.restart({ environment })
  return async () => {
    await aWhile(round, 4000, 8000)
    await worker.restart()
  }
}

function lacksCompiler(): string | undefined {
  return process.platform === 'linux' && Bun.which('cc') !== null ? undefined : 'there is no C compiler here'
}

/** A year behind, a day ahead, or just by more than a lease. */
async function wrongClock(round: Round) {
  const library = join(round.world.base, 'clock.so')
  const made = Bun.spawnSync(['cc', '-shared', '-fPIC', '-o', library, join(import.meta.dir, 'clock.c')])
  if (!made.success) round.missed('the clock could not be built')
  const shift = round.random.pick([-31_536_000, 86_400, -10, 10])
  return restartWith(round, { LD_PRELOAD: library, CLOCK_SHIFT: String(shift) })
}

/** On the same host with a cache of its own, as in a container, or with the same cache. One of the two must end. */
async function twoOfOneId(round: Round) {
  const { random, world } = round
  const first = anyWorker(round)
  const hasOwnCache = random.chance(0.5)
  const cache = hasOwnCache ? join(world.base, 'cache-second') : first.cache
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const second = new Node({
    name: `second-${first.name}`,
    argv: [world.executable, 'worker', '--master-url', world.url(first.number), '--id', first.name],
    environment: { ...world.settings, DARKSTREAM_STORAGE_CACHE_PATH: cache },
    log_path: join(world.base, 'logs', 'second.log'),
  })
  await aMoment(round)
  const prefix = world.network?.prefix(first.number) ?? []
  second.start({ prefix })
  return async () => {
    await aWhile(round, 1000, 2 * lease_ms)
    const code = await Promise.race([first.ended(30_000), second.ended(30_000)])
    if (code === undefined) round.broken('I4: two workers of one id went on beside each other')
    await second.kill()
  }
}
