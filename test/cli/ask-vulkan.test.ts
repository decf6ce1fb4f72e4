import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askVulkan } from '../../src/cli/ask-vulkan.ts'
import { temporaryFolder } from '../support/program.ts'
import { buildDriver, lacks, lavapipe } from '../support/vulkan.ts'

setDefaultTimeout(60_000)

const main = join(import.meta.dir, '..', '..', 'src', 'main.ts')

/** Asks as `detect` does, with only these drivers. */
function ask(manifests: readonly string[], more: Partial<Parameters<typeof askVulkan>[0]> = {}) {
  const only = manifests.join(':')
  return askVulkan({
    preferred_device: 'auto',
    enable_validation: false,
    environment: { ...process.env, VK_DRIVER_FILES: only, VK_ICD_FILENAMES: only },
    signal: new AbortController().signal,
    command: [process.execPath, main],
    ...more,
  })
}

describe.skipIf(lacks('loader', 'lavapipe'))('on lavapipe', () => {
  const manifests = [lavapipe() ?? '']

  test('the device is a CPU, which is shown and not used', async () => {
    const report = await ask(manifests)
    expect(report).toMatchObject({
      supported: false,
      problem: { code: 'only_cpu' },
      default_device: '',
      devices: [{ index: 0, type: 'cpu', vendor_id: 0x10005, available: false, can_encode: false, can_decode: false }],
    })
    const [device] = report.devices
    expect(device?.name).toStartWith('llvmpipe')
    expect(device?.driver_version).toMatch(/^Mesa \d+\.\d+/)
    expect(device?.api_version).toMatch(/^1\.\d+\.\d+$/)
    expect(device?.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(device?.supported_extensions.length).toBeGreaterThan(50)
    expect(device?.memory_heaps[0]?.size_bytes).toBeGreaterThan(2 ** 28)
    expect(device?.queue_families).toMatchObject([{ operations: expect.arrayContaining(['graphics', 'compute']) }])
    expect(device?.video.map(({ reason }) => reason)).toEqual(
      Array<string>(7).fill('the driver has no Vulkan Video (VK_KHR_video_queue)'),
    )
    expect(report.loader?.version).toMatch(/^1\.\d+\.\d+$/)
    expect(report.drivers).toEqual([{ manifest: manifests[0] ?? '', problem: null }])
  })

  test('it is used when it is named', async () => {
    expect(await ask(manifests, { preferred_device: 'llvmpipe' })).toMatchObject({
      supported: true,
      device: { type: 'cpu', available: true },
      problem: null,
    })
  })

  test('the validation layer finds nothing to complain of in what we do, or is said to be missing', async () => {
    const { validation, layers } = await ask(manifests, { enable_validation: true })
    const isThere = layers.some(({ name }) => name === 'VK_LAYER_KHRONOS_validation')
    expect(validation).toEqual(
      isThere
        ? { enabled: true, reason: null, messages: [] }
        : { enabled: false, reason: expect.stringContaining('vulkan-validationlayers'), messages: [] },
    )
  })
})

describe.skipIf(lacks('loader'))('with driver files of no use', () => {
  test.each([
    ['it is not JSON', 'garbage'],
    ['its library /nowhere/driver.so is not there', '{"ICD":{"library_path":"/nowhere/driver.so"}}'],
    ['it cannot be read', null],
  ])('the file is named, and why: %s', async (fault, text) => {
    const file = join(temporaryFolder(), 'broken.json')
    if (text !== null) writeFileSync(file, text)
    expect(await ask([file])).toMatchObject({
      supported: false,
      devices: [],
      problem: { code: 'no_driver', message: expect.stringContaining(`${file} is of no use: ${fault}`) },
      drivers: expect.arrayContaining([{ manifest: file, problem: fault }]),
    })
  })
})

describe.skipIf(lacks('loader', 'compiler'))('with a driver that fails', () => {
  test('a crash is told with its signal, and costs nothing more', async () => {
    const manifest = buildDriver(temporaryFolder(), 'crash', 'broken.c')
    expect(await ask([manifest])).toMatchObject({
      supported: false,
      loader: { library: expect.any(String) },
      problem: {
        code: 'crashed',
        message: `a Vulkan driver crashed (SIGSEGV) while the devices were listed; the driver is ${manifest}: repair or remove it`,
      },
    })
  })

  test('a hang ends at the time limit', async () => {
    const manifest = buildDriver(temporaryFolder(), 'hang', 'broken.c', ['-DHANG'])
    const before = performance.now()
    expect((await ask([manifest], { timeout_ms: 1500 })).problem).toMatchObject({
      code: 'hung',
      message: expect.stringContaining('hung while the devices were listed; it was ended after 1.5 s'),
    })
    expect(performance.now() - before).toBeLessThan(10_000)
  })

  test('of two drivers the one that crashes is named, and how to do without it', async () => {
    const folder = temporaryFolder()
    const crash = buildDriver(folder, 'crash', 'broken.c')
    const quiet = buildDriver(folder, 'quiet', 'broken.c', ['-DQUIET'])
    const { problem, drivers } = await ask([quiet, crash])
    expect(problem?.message).toEndWith(`the driver is ${crash}: repair or remove it, or set VK_DRIVER_FILES=${quiet}`)
    expect(drivers).toEqual([
      { manifest: quiet, problem: null },
      { manifest: crash, problem: expect.stringContaining('SIGSEGV') },
    ])
  })

  test('one that finds no device is told so', async () => {
    expect((await ask([buildDriver(temporaryFolder(), 'quiet', 'broken.c', ['-DQUIET'])])).problem?.code).toBe(
      'no_device',
    )
  })
})

describe.skipIf(lacks('loader', 'headers'))('with a driver of a GPU, compiled from the C headers', () => {
  test('all that it says is read as C wrote it', async () => {
    const report = await ask([buildDriver(temporaryFolder(), 'gpu', 'gpu.c')])
    expect(report).toMatchObject({
      supported: true,
      problem: null,
      default_device: 'Fake GPU',
      can_decode: true,
      device: {
        name: 'Fake GPU',
        type: 'discrete',
        vendor_id: 0x10de,
        device_id: 0x2206,
        driver_version: '535.104.05',
      },
    })
    const [fake, old] = report.devices
    expect(fake).toMatchObject({
      driver_name: 'Fake',
      api_version: '1.3.301',
      uuid: 'f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff',
      pci_address: '0000:1a:00.1',
      memory_heaps: [
        { size_bytes: 10 * 2 ** 30, device_local: true },
        { size_bytes: 32 * 2 ** 30, device_local: false },
      ],
      queue_families: [
        { queue_count: 16, operations: ['graphics', 'compute', 'transfer', 'sparse'], video_codec_operations: [] },
        { queue_count: 3, operations: ['video_decode', 'video_encode'] },
      ],
    })
    expect(fake?.queue_families[1]?.video_codec_operations).toHaveLength(7)
    expect(old).toMatchObject({ type: 'integrated', driver_version: '535.104.5.0', api_version: '1.0.7', uuid: null })
  })

  test('each codec that its headers have is claimed, with what its profiles have in common', async () => {
    const report = await ask([buildDriver(temporaryFolder(), 'gpu', 'gpu.c')])
    const [fake] = report.devices
    const listed = (fake?.video ?? []).filter(({ codec, operation }) =>
      fake?.supported_extensions.includes(`VK_KHR_video_${operation}_${codec === 'hevc' ? 'h265' : codec}`),
    )
    expect(listed.length).toBeGreaterThanOrEqual(2)
    for (const claim of listed) {
      const isEncode = claim.operation === 'encode'
      const encode = isEncode ? { rate_control_modes: ['cbr', 'vbr'], max_bitrate: 8e8, quality_levels: 7 } : null
      if (claim.codec === 'vp9') {
        expect(claim).toMatchObject({ claimed: false, reason: expect.stringContaining('FORMAT_NOT_SUPPORTED') })
      } else {
        const sizes = claim.codec === 'h264' ? [48, 8192] : [64, 4096]
        expect(claim).toMatchObject({
          claimed: true,
          min_width: sizes[0],
          max_width: sizes[1],
          max_height: 4352,
          encode,
        })
      }
    }
    const decode = listed.find(({ codec, operation }) => codec === 'h264' && operation === 'decode')
    expect(decode?.profiles.map(({ name }) => name)).toEqual(['main', 'high'])
  })
})
