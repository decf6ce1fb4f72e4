import { expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Detection } from '../../src/cli/detect.ts'
import { heads } from '../../src/cli/heads.ts'
import { useClips } from '../support/clips.ts'
import { place, startCluster } from '../support/cluster.ts'
import { eventually, executable, run, start, temporaryFolder } from '../support/program.ts'

const clips = useClips()
const repository = join(import.meta.dir, '..', '..')

test('it says its version, commit and platform, and helps with examples', async () => {
  expect((await run(['--version'])).output).toMatch(/^darkstream \d+\.\d+\.\d+ \(commit \S+, \w+-\w+\)\n$/)
  const help = await run(['--help'])
  expect(help.code).toBe(0)
  for (const name of Object.keys(heads)) {
    expect(help.output).toContain(name)
    const own = await run([name, '--help'])
    expect(own.code).toBe(0)
    expect(own.output).toMatch(new RegExp(`darkstream ${name}[^]*EXAMPLES`))
  }
})

test('wrong usage ends with 2 and a sentence, a master that is not there with 1', async () => {
  const wrong = [
    [],
    ['nonsense'],
    ['status', '--bogus'],
    ['status', 'extra'],
    ['start', 'only-one'],
    ['start'],
    ['cancel'],
  ]
  const more = [
    ['jobs', '--status', 'odd'],
    ['config', 'break'],
    ['config', 'check'],
    ['worker', '--concurrency', 'many'],
  ]
  for (const args of [...wrong, ...more, ['master', '--config', '/nowhere/config.yaml'], ['status', '--master-url']]) {
    expect({ args, ...(await run(args)) }).toMatchObject({ args, code: 2 })
  }
  for (const args of [['status'], ['stats'], ['jobs'], ['workers'], ['retry'], ['cancel', 'x']]) {
    const { code, output } = await run([...args, '--master-url', 'http://127.0.0.1:9'])
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(output).toMatch(/^darkstream: cannot reach the master at http:\/\/127\.0\.0\.1:9: connection refused/)
  }
})

test('it runs without Bun, node_modules or an environment, and takes nothing from where it is started', async () => {
  const cwd = temporaryFolder()
  writeFileSync(join(cwd, '.env'), 'DARKSTREAM_SERVER_PORT=1\n')
  writeFileSync(join(cwd, 'evil.ts'), 'console.log("evil")\n')
  writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./evil.ts"]\n')
  copyFileSync(executable, join(cwd, 'darkstream'))
  const child = Bun.spawn(['./darkstream', 'config', 'show'], { cwd, env: {}, stdout: 'pipe', stderr: 'pipe' })
  const said = await child.stdout.text()
  expect(await child.exited).toBe(0)
  expect(said).toMatch(/port: 8080 +# default/)
  expect(said).not.toContain('evil')
})

test("the example and both of the original's files are right; what is wrong in a file is told all at once", async () => {
  for (const file of [
    'config.example.yaml',
    'test/fixtures/master.original.yaml',
    'test/fixtures/worker.original.yaml',
  ]) {
    expect(await run(['config', 'check', join(repository, file)])).toMatchObject({ code: 0 })
  }
  const file = join(temporaryFolder(), 'bad.yaml')
  writeFileSync(file, 'server:\n  port: many\nscaner:\n  x: 1\nconversion:\n  codec: h266\n')
  const { code, output } = await run(['config', 'check', file])
  expect(code).toBe(2)
  expect(output).toMatch(/bad\.yaml:2: server\.port: .*expected .*many/)
  expect(output).toMatch(/bad\.yaml:3: scaner.*scanner/)
  expect(output).toMatch(/bad\.yaml:6: conversion\.codec: .*h266/)
})

test('settings come from the file, then the environment, then flags, and it says which', async () => {
  const file = join(temporaryFolder(), 'c.yaml')
  writeFileSync(file, 'server:\n  port: 1111\n  host: 127.0.0.1\n')
  const environment = { DARKSTREAM_SERVER_PORT: '2222' }
  const shown = await run(['config', 'show', '--config', file, '--json'], { environment })
  const rows = JSON.parse(shown.output) as { key: string; value: unknown; origin: unknown }[]
  const row = (key: string) => rows.find((candidate) => candidate.key === key)
  expect(row('server.port')).toMatchObject({ value: 2222, origin: { environment: 'DARKSTREAM_SERVER_PORT' } })
  expect(row('server.host')).toMatchObject({ value: '127.0.0.1', origin: { file, line: 3 } })
  expect(row('conversion.codec')).toMatchObject({ value: 'h264', origin: 'default' })
})

test('detect shows what passed a test encode, and why nothing did', async () => {
  const { code, output } = await run(['detect'])
  expect(code).toBe(0)
  expect(output).toMatch(/✓ h264 by libx264/)
  expect(output).toMatch(/FFmpeg: \d+\.\d+/)
  const none = await run(['detect', '--json'], { environment: { DARKSTREAM_FFMPEG_PATH: '/nowhere/ffmpeg' } })
  expect(none.code).toBe(1)
  expect(JSON.parse(none.output)).toMatchObject({
    ffmpeg: null,
    problem: expect.stringContaining('apt-get install ffmpeg'),
    encoders: [],
    vulkan: { supported: expect.any(Boolean), devices: expect.any(Array), default_device: expect.any(String) },
  })
})

test('detect asks the Vulkan drivers in a child of its own, whatever they are, and says what came of it', async () => {
  const ffmpeg = { DARKSTREAM_FFMPEG_PATH: '/nowhere/ffmpeg' }
  const { output } = await run(['detect'], { environment: ffmpeg })
  expect(output).toMatch(/^🖥️ {2}GPU \/ Vulkan Detection\n\nVulkan Status: (✓ Available|✗ \S.+)\n\nDevices:\n[├└]─ /)
  expect(output).toMatch(/├─ Vulkan SDK: (\d+\.\d+\.\d+ \(loader \S+\)|none)\n/)
  const nowhere = { ...ffmpeg, VK_DRIVER_FILES: '/nowhere/driver.json', VK_ICD_FILENAMES: '/nowhere/driver.json' }
  const broken = JSON.parse((await run(['detect', '--json'], { environment: nowhere })).output) as Detection
  expect(broken.vulkan).toMatchObject({ supported: false, device: null, devices: [] })
  expect(broken.vulkan.problem?.message).toMatch(/driver file \/nowhere\/driver\.json is of no use|no Vulkan loader/)
  expect(broken.vulkan_environment).toMatchObject({ VK_DRIVER_FILES: '/nowhere/driver.json' })
  expect((await run(['--help'])).output).not.toContain('probe-vulkan')
})

test('the reading commands tell of a real master, for people and as JSON', async () => {
  const cluster = await startCluster()
  const ask = async (...args: string[]) => run([...args, '--master-url', cluster.url])
  const fresh = await ask('status')
  expect(fresh.output).toContain('Estimated Time Remaining: nothing left')
  expect(fresh.output).toContain('Throughput: unknown')
  place(await clips.path('plain.mp4'), join(cluster.source, 'a.mp4'))
  place(await clips.path('sound-only.mp4'), join(cluster.source, 'b.mp4'))
  const worker = cluster.worker('one')
  await eventually(async () => {
    const { completed, failed } = await cluster.api.status({})
    return completed === 1 && failed === 1
  })
  const status = await ask('status')
  expect(status.code).toBe(0)
  expect(status.output).toMatch(/📊 Conversion Progress\n├─ Total Files: 2\n├─ Completed: 1 \(50\.0%\)\n/)
  expect(status.output).toMatch(/└─ Failed: 1\n/)
  expect(status.output).toMatch(/🖥️ {2}Active Workers: 1\n└─ one: \d jobs \(CPU: \d+%\)\n/)
  expect(status.output).toMatch(/📈 Throughput: ~[\d,.]+ files\/hour \(avg\)/)
  expect(JSON.parse((await ask('status', '--json')).output)).toMatchObject({ jobs: { completed: 1, failed: 1 } })
  expect(JSON.parse((await ask('stats', '--json')).output)).toMatchObject({ measured_jobs: 1 })
  expect((await ask('stats')).output).toContain('no video stream')
  expect(JSON.parse((await ask('workers', '--json')).output)).toMatchObject({ count: 1 })
  expect((await ask('workers')).output).toContain('one')
  const failed = JSON.parse((await ask('jobs', '--status', 'failed', '--json')).output) as { jobs: { id: string }[] }
  const id = failed.jobs[0]?.id ?? ''
  expect((await ask('jobs', id)).output).toMatch(/attempt 1 on one: failed/)
  expect((await ask('jobs', 'nothing')).code).toBe(1)
  expect((await ask('retry', id)).output).toContain('pending')
  expect((await ask('cancel', 'nothing')).code).toBe(1)
  const done = JSON.parse((await ask('jobs', '--status', 'completed', '--json')).output) as { jobs: { id: string }[] }
  expect((await ask('requeue', done.jobs[0]?.id ?? '')).output).toContain('is p')
  worker.signal('SIGTERM')
  await worker.ended
  cluster.master.signal('SIGTERM')
  expect(await cluster.master.ended).toBe(0)
}, 60_000)

test('a second master on the same database is refused, and a worker without ffmpeg says what to install', async () => {
  const cluster = await startCluster()
  const second = await run(['master', '--port', '0'], { environment: cluster.environment })
  expect(second).toMatchObject({ code: 1, output: expect.stringContaining('in use by another darkstream master') })
  const worker = await run(['worker', '--master-url', cluster.url], {
    environment: { DARKSTREAM_FFMPEG_PATH: '/nowhere/ffmpeg' },
  })
  expect(worker).toMatchObject({ code: 1, output: expect.stringContaining('apt-get install ffmpeg') })
})

test('a long answer arrives whole, however slowly it is read', async () => {
  const cluster = await startCluster({ DARKSTREAM_SCANNER_SETTLE_TIME: '0s' })
  for (let number = 0; number < 400; number++)
    writeFileSync(join(cluster.source, `${'long name '.repeat(20)}${number}.mp4`), '')
  await eventually(async () => (await cluster.api.status({})).pending === 400)
  const { output } = await run(['jobs', '--limit', '1000', '--json', '--master-url', cluster.url])
  expect(output.length).toBeGreaterThan(200_000)
  expect((JSON.parse(output) as { jobs: unknown[] }).jobs).toHaveLength(400)
})

test('two workers of one host get names of their own, two of one configured name do not', async () => {
  const cluster = await startCluster()
  const cache = join(temporaryFolder(), 'cache')
  mkdirSync(cache)
  const environment = { DARKSTREAM_STORAGE_CACHE_PATH: cache }
  const one = start(['worker', '--master-url', cluster.url], { environment })
  const first = await one.line(/worker \S+, \d+ at a time/)
  const two = start(['worker', '--master-url', cluster.url], { environment })
  const second = await two.line(/worker \S+-2, \d+ at a time/)
  expect(second).not.toBe(first)
  const named = start(['worker', '--master-url', cluster.url, '--id', 'x'], { environment })
  await named.line(/worker x,/)
  const again = await run(['worker', '--master-url', cluster.url, '--id', 'x'], { environment })
  expect(again).toMatchObject({ code: 1, output: expect.stringContaining('runs on this machine already') })
})
