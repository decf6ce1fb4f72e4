import { expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import { useClips } from '../support/clips.ts'
import { place, probe } from '../support/cluster.ts'
import { eventually, run, start, temporaryFolder } from '../support/program.ts'

setDefaultTimeout(90_000)
const clips = useClips()

/** Master and worker on a configuration, until so many jobs have been completed since the queue began. */
async function workOff(config: string, base: string, completed: number) {
  const master = start(['master', '--port', '0', '--config', config])
  const line = await master.line(/master listening on/)
  const url = /http:\/\/[\d.:]+/.exec(line)?.[0] ?? ''
  const api = createClient(url)
  return {
    url,
    api,
    async work() {
      const worker = start(['worker', '--master-url', url, '--id', 'w'], {
        environment: {
          DARKSTREAM_STORAGE_CACHE_PATH: join(base, 'cache'),
          DARKSTREAM_WORKER_JOB_CHECK_INTERVAL: '50ms',
        },
      })
      await eventually(async () => {
        const { paths, jobs } = await api.stats({})
        const isIdle = jobs.pending + jobs.processing === 0 && jobs.total === 3
        return isIdle && paths.reduce((sum, path) => sum + path.jobs, 0) === completed
      })
      worker.signal('SIGTERM')
      await worker.ended
    },
    async stop() {
      master.signal('SIGTERM')
      await master.ended
    },
  }
}

test('the executable obeys profiles of its configuration, and requeues what a change of them affects when asked', async () => {
  const base = temporaryFolder()
  const source = join(base, 'source')
  place(await clips.path('plain.mp4'), join(source, 'Phones', '2024', 'a.mp4'))
  place(await clips.path('plain.mkv'), join(source, 'films', 'b.mkv'))
  place(await clips.path('interlaced.mkv'), join(source, 'c.mkv'))
  const config = join(base, 'config.yaml')
  const write = (codec: string) =>
    writeFileSync(
      config,
      `server: {host: 127.0.0.1}
scanner: {root_path: ${source}, output_base: ${join(base, 'output')}, settle_time: 0s, scan_interval: 1s}
database: {path: ${join(base, 'jobs.db')}}
conversion: {preset: ultrafast}
profiles:
  - {name: phone clips, path: phones/**, skip: true}
  - {name: films, path: films/**, when: {codec: h264}, conversion: {codec: ${codec}}}
`,
    )
  write('hevc')
  expect((await run(['config', 'check', config])).output).toBe(`${config} is right\n`)
  const before = await workOff(config, base, 2)
  await before.work()
  expect(await before.api.status({})).toMatchObject({ completed: 2, skipped: 1 })
  expect((await probe(join(base, 'output', 'films', 'b.mp4'))).video).toBe('hevc')
  expect((await probe(join(base, 'output', 'c.mp4'))).video).toBe('h264')
  await before.stop()

  write('vp9')
  const after = await workOff(config, base, 3)
  const ask = async (...more: string[]) => run(['requeue', '--changed', '--master-url', after.url, ...more])
  const reason = '1 x profile films: codec hevc -> vp9\n'
  expect(await ask('--dry-run')).toEqual({
    code: 0,
    output: `1 of 3 completed and skipped jobs would be queued again:\n  ${reason}`,
  })
  expect(JSON.parse((await ask('--dry-run', '--json')).output)).toMatchObject({ looked_at: 3, requeued: 1 })
  expect((await ask()).output).toBe(`1 of 3 completed and skipped jobs are pending again:\n  ${reason}`)
  expect((await ask()).output).toStartWith('0 of 2 completed and skipped jobs are pending again\n')
  await after.work()
  expect((await probe(join(base, 'output', 'films', 'b.mp4'))).video).toBe('vp9')
  expect((await after.api.jobs({ search: 'b.mkv' })).jobs[0]).toMatchObject({ attempt: 2, profile: 'films' })
  await after.stop()
})

test.each([
  [['requeue'], 'which jobs? Give their ids, or --changed'],
  [['requeue', 'a', '--changed'], '--changed is for all jobs, not for named ones'],
  [['requeue', 'a', '--dry-run'], '--dry-run and --json are for --changed'],
])('%p is wrong usage and says so', async (argv, message) => {
  const { code, output } = await run(argv)
  expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining(message) })
})
