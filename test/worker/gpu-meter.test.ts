import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { dirname, join } from 'node:path'
import { killLeftovers } from '../../src/pipeline/process/leftovers.ts'
import { createLog } from '../../src/util/log.ts'
import { unknownUsage } from '../../src/vulkan/usage/values.ts'
import { type GpuMeterOptions, startGpuMeter } from '../../src/worker/gpu-meter.ts'
import { News } from '../support/news.ts'
import { eventually, temporaryFolder } from '../support/program.ts'
import { lacks } from '../support/vulkan.ts'
import { buildNvml } from '../vulkan/usage/build-nvml.ts'

setDefaultTimeout(60_000)

const command = [process.execPath, join(import.meta.dir, '..', '..', 'src', 'main.ts')]
const gpu = { id: 'vulkan:0', pci_address: '0000:01:00.0', vendor_id: 0x10de }
const busy = { usage: 87, encoder_usage: 12, decoder_usage: 0, memory_usage: 12.5 }
const mark = { name: 'DARKSTREAM_TEST_METER', value: crypto.randomUUID() }

let stop = () => Promise.resolve()
afterEach(() => stop())

/** A meter whose real child finds our own NVML, compiled with these flags, and what it logs. */
function openMeter(flags: string[] | null, more: Partial<GpuMeterOptions> = {}) {
  const abort = new AbortController()
  const lines: string[] = []
  const news = new News()
  const write = (line: string) => {
    lines.push(line)
    news.beat()
  }
  const library = flags === null ? '' : dirname(buildNvml(temporaryFolder(), ...flags))
  const meter = startGpuMeter({
    command,
    gpus: [gpu],
    // The first reading comes at once.
    interval_ms: 10_000,
    environment: { ...process.env, LD_LIBRARY_PATH: library, [mark.name]: mark.value },
    signal: abort.signal,
    log: createLog({ level: 'debug', format: 'text', output_path: null, write }),
    first_pause_ms: 10,
    ...more,
  })
  stop = () => {
    abort.abort()
    return meter.stopped
  }
  const whenSaid = (words: string) => news.until(() => lines.some((line) => line.includes(words)))
  const whenUsage = (usage: number | null) => eventually(async () => meter.usage('vulkan:0').usage === usage)
  return { meter, lines, whenSaid, whenUsage }
}

describe.skipIf(lacks('compiler') || process.platform !== 'linux')('with a child that asks our own NVML', () => {
  test('the newest reading is told by the id of the GPU, and stopping leaves no process behind', async () => {
    const { meter, lines, whenUsage } = openMeter([], { gpus: [gpu, { ...gpu, id: 'nvenc' }] })
    expect(meter.usage('vulkan:0')).toEqual(unknownUsage)
    await whenUsage(87)
    expect(meter.usage('vulkan:0')).toEqual(busy)
    expect(meter.usage('nvenc')).toEqual(busy)
    expect(meter.usage('vulkan:1')).toEqual(unknownUsage)
    await stop()
    expect(await killLeftovers(mark)).toBe(0)
    expect(lines).toEqual([])
  })

  test('a reading is forgotten after three intervals, and a new one counts again', async () => {
    const clock = { ahead_ms: 0 }
    const { meter, whenUsage } = openMeter([], { interval_ms: 200, now: () => performance.now() + clock.ahead_ms })
    await whenUsage(87)
    clock.ahead_ms = 601
    expect(meter.usage('vulkan:0')).toEqual(unknownUsage)
    await whenUsage(87)
  })

  test('a crash costs one warning, and the child is started again', async () => {
    const { lines, whenSaid, whenUsage } = openMeter(['-DCRASH'], { interval_ms: 100 })
    await whenSaid('failures=3')
    await whenUsage(87)
    expect(lines[0]).toContain(
      'WARN  cannot read how busy the GPUs are, will go on trying: the process that asks the drivers crashed (SIGSEGV)',
    )
    expect(lines.filter((line) => !line.includes(' DEBUG '))).toHaveLength(1)
  })

  test('a child that hangs is killed and started again, and what it said is no longer told meanwhile', async () => {
    const { meter, lines, whenSaid, whenUsage } = openMeter(['-DHANG'], { interval_ms: 100 })
    await whenUsage(87)
    await whenUsage(null)
    expect(meter.usage('vulkan:0')).toEqual(unknownUsage)
    await whenSaid('failures=2')
    expect(lines[0]).toContain('the process that asks the drivers hung and was ended')
    await stop()
    expect(await killLeftovers(mark)).toBe(0)
  })

  test('a child that somebody else kills is started again', async () => {
    const { whenSaid, whenUsage } = openMeter([])
    await whenUsage(87)
    expect(await killLeftovers(mark)).toBe(1)
    await whenSaid('crashed (SIGKILL)')
    await eventually(async () => (await killLeftovers(mark)) === 1)
    await whenSaid('failures=2')
  })

  test('a failure after five good minutes is told anew', async () => {
    const clock = { ahead_ms: 0 }
    const { lines, whenSaid, whenUsage } = openMeter([], { now: () => performance.now() + clock.ahead_ms })
    await whenUsage(87)
    await killLeftovers(mark)
    await whenSaid('WARN')
    clock.ahead_ms = 30_001
    await whenUsage(87)
    clock.ahead_ms += 5 * 60_000
    await killLeftovers(mark)
    await eventually(async () => lines.filter((line) => line.includes(' WARN ')).length === 2)
  })

  test('a child that says nothing at all is given time to start, and not more', async () => {
    const mute = ['/bin/sh', '-c', 'exec sleep 1000']
    const before = performance.now()
    const { lines, whenSaid } = openMeter(null, { command: mute, interval_ms: 20, start_timeout_ms: 300 })
    await whenSaid('the process that asks the drivers hung and was ended')
    expect(performance.now() - before).toBeGreaterThan(300)
    expect(lines).toHaveLength(1)
  })

  test('a driver that tells next to nothing is no failure', async () => {
    const { meter, lines } = openMeter(['-DODD'])
    await eventually(async () => meter.usage('vulkan:0').decoder_usage === 0)
    expect(meter.usage('vulkan:0')).toEqual({ ...unknownUsage, decoder_usage: 0 })
    expect(lines).toEqual([])
  })

  test('the child ends when nobody reads what it writes', async () => {
    const argv = [...command, 'watch-gpus', '--interval', '10ms', '0000:01:00.0=10de=vulkan:0']
    const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
    const reader = child.stdout.getReader()
    await reader.read()
    await reader.cancel()
    expect(await child.exited).toBe(0)
  })
})

test('a program that cannot be started costs one warning', async () => {
  const { lines, whenSaid } = openMeter(null, { command: ['/nowhere/darkstream'] })
  await whenSaid('failures=2')
  expect(lines[0]).toContain('there is no program /nowhere/darkstream')
})

test('without a GPU that can be read there is no child', async () => {
  const gpus = [
    { ...gpu, pci_address: null },
    { ...gpu, vendor_id: 0x10005 },
  ]
  const { meter, lines } = openMeter(null, { command: ['/nowhere/darkstream'], gpus })
  await meter.stopped
  expect(meter.usage('vulkan:0')).toEqual(unknownUsage)
  expect(lines).toEqual([])
})

test('a meter that is stopped before it starts has no child', async () => {
  const { meter, lines } = openMeter(null, { command: ['/nowhere/darkstream'], signal: AbortSignal.abort() })
  await meter.stopped
  expect(lines).toEqual([])
})

test('what is no GPU is refused', async () => {
  const child = Bun.spawn([...command, 'watch-gpus', 'vulkan:0'], { stdout: 'pipe', stderr: 'pipe' })
  expect(await child.exited).toBe(2)
  expect(await new Response(child.stderr).text()).toContain('"vulkan:0" is no GPU')
})
