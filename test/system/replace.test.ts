import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { type Cluster, place, probe, startCluster, startMaster } from '../support/cluster.ts'
import { eventually, run, temporaryFolder } from '../support/program.ts'

const clips = useClips()
const replacing = { DARKSTREAM_REPLACE_ENABLED: 'true', DARKSTREAM_CONVERSION_TARGET_RESOLUTION: '160x160' }

const completed = (count: number, cluster: Cluster) =>
  eventually(async () => (await cluster.api.status({})).completed === count)

/** The videos below the root but for what is ours, sorted. */
function filmsOf({ source }: Cluster): string[] {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => !name.startsWith('.darkstream') && statSync(join(source, name)).isFile()).toSorted()
}

/** Waits until a whole scan that began after now has ended. */
async function scanned({ api }: Cluster): Promise<void> {
  for (let scans = 0; scans < 2; scans++) {
    const { last_completed_at } = (await api.stats({})).scan
    await eventually(async () => (await api.stats({})).scan.last_completed_at !== last_completed_at)
  }
}

test('a folder is replaced in place, left alone by later scans and masters, and brought back byte by byte by undo', async () => {
  const cluster = await startCluster(replacing)
  const { source, api } = cluster
  const names = ['a.mkv', 'film.mkv', 'film.mp4', 'sub/c.MP4']
  const originals = new Map<string, Buffer>()
  for (const name of names) {
    place(await clips.path(name.endsWith('mkv') ? 'plain.mkv' : 'plain.mp4'), join(source, name))
    originals.set(name, readFileSync(join(source, name)))
  }
  place(await clips.path('plain.mp4'), join(source, 'broken.mp4'))
  truncateSync(join(source, 'broken.mp4'), 10_000)
  const broken = readFileSync(join(source, 'broken.mp4'))
  const worker = cluster.worker('one')
  await completed(4, cluster)
  await eventually(async () => (await api.status({})).failed === 1)
  expect(readFileSync(join(source, 'broken.mp4')).equals(broken)).toBe(true)
  rmSync(join(source, 'broken.mp4'))
  expect(filmsOf(cluster)).toEqual(['a.mp4', 'film.mkv.mp4', 'film.mp4', 'sub/c.MP4'])
  for (const name of filmsOf(cluster)) expect(await probe(join(source, name))).toMatchObject({ size: '160x90' })
  expect(existsSync(cluster.output)).toBe(false)
  await scanned(cluster)
  cluster.master.signal('SIGKILL')
  await cluster.master.ended
  const port = Number(new URL(cluster.url).port)
  await startMaster({ ...cluster.environment, DARKSTREAM_SCANNER_VIDEO_EXTENSIONS: '.mp4,.mkv,.webm' }, port)
  await scanned(cluster)
  expect(await api.status({})).toMatchObject({ completed: 4, pending: 0, processing: 0, failed: 1, skipped: 0 })

  const { jobs } = await api.jobs({ status: 'completed' })
  const told = await run(['jobs', jobs[0]?.id ?? '', '--master-url', cluster.url])
  expect(told.output).toContain(`original: kept at ${source}/.darkstream/originals/`)
  expect(told.output).toContain('darkstream undo puts it back')
  expect((await run(['requeue', jobs[0]?.id ?? '', '--master-url', cluster.url])).code).toBe(1)
  const undone = await run(['undo', ...jobs.map(({ id }) => id), '--master-url', cluster.url])
  expect(undone.code).toBe(0)
  expect(filmsOf(cluster)).toEqual(names.toSorted())
  for (const [name, bytes] of originals) expect(readFileSync(join(source, name)).equals(bytes)).toBe(true)
  await scanned(cluster)
  expect(await api.status({})).toMatchObject({ skipped: 4, completed: 0, pending: 0, processing: 0 })
  worker.signal('SIGTERM')
  expect(await worker.ended).toBe(0)
}, 120_000)

test('start, which only reads its source, refuses the setting', async () => {
  const [source, output] = [temporaryFolder(), join(temporaryFolder(), 'output')]
  place(await clips.path('plain.mkv'), join(source, 'film.mkv'))
  const refused = await run(['start', source, output, '--once'], { environment: replacing })
  expect(refused).toMatchObject({ code: 2, output: expect.stringContaining('replace.enabled') })
  expect(readdirSync(source)).toEqual(['film.mkv'])
})

test('a master that is killed again and again in the middle of replacements loses no film and replaces each once', async () => {
  const cluster = await startCluster({ ...replacing, DARKSTREAM_CONVERSION_PRESET: 'ultrafast' })
  const names = Array.from({ length: 8 }, (_, index) => `film ${index}.${index % 2 === 0 ? 'mkv' : 'mp4'}`)
  for (const name of names) {
    place(await clips.path(name.endsWith('mkv') ? 'plain.mkv' : 'plain.mp4'), join(cluster.source, name))
  }
  const kept = join(cluster.source, '.darkstream', 'originals')
  mkdirSync(kept, { recursive: true })
  cluster.worker('one')
  let { master } = cluster
  for (let kills = 0; kills < 6; kills++) {
    const before = readdirSync(kept).length
    if (before === names.length) break
    // Looks without a pause: it shall die as soon as the first name changes.
    while (readdirSync(kept).length === before) await Bun.sleep(0)
    master.signal('SIGKILL')
    await master.ended
    const films = filmsOf(cluster).map((name) => name.replace(/\.\w+$/, ''))
    expect(new Set(films)).toEqual(new Set(names.map((name) => name.replace(/\.\w+$/, ''))))
    master = (await startMaster(cluster.environment, Number(new URL(cluster.url).port))).master
  }
  await completed(8, cluster)
  expect(filmsOf(cluster)).toEqual(names.map((name) => name.replace('.mkv', '.mp4')))
  const { jobs } = await cluster.api.jobs({})
  expect(jobs.map(({ attempt }) => attempt)).toEqual(names.map(() => 1))
  for (const { output_path } of jobs) expect(await probe(output_path)).toMatchObject({ size: '160x90' })
  expect(readdirSync(kept)).toHaveLength(8)
}, 120_000)
