import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import type { Detection } from '../../src/cli/detect.ts'
import { place, probe, startCluster } from '../support/cluster.ts'
import { eventually, run, start, temporaryFolder } from '../support/program.ts'
import { lacks, lavapipe, vulkanEnvironment, vulkanFfmpeg } from '../support/vulkan.ts'

setDefaultTimeout(120_000)
const isMissing = lacks('lavapipe', 'ffmpeg_vulkan')
const newer = vulkanFfmpeg() ?? ''

/** What holds for all tests of this file, and is removed with them: a faulty ffmpeg, and what it has proved. */
const shared = mkdtempSync(join(tmpdir(), 'darkstream-gpu-'))
afterAll(() => rmSync(shared, { recursive: true, force: true }))

/** Uses Mesa's processor driver as if it were a GPU, which only its name can ask for. */
const environment = {
  ...vulkanEnvironment(),
  DARKSTREAM_FFMPEG_PATH: faultyFfmpeg(),
  DARKSTREAM_VULKAN_PREFERRED_DEVICE: 'llvmpipe',
  DARKSTREAM_STORAGE_CACHE_PATH: join(shared, 'cache'),
}
const ffv1 = ['--codec', 'ffv1', '--container', 'mkv', '--resolution', '256x128']

/**
 * The newer ffmpeg, but for conversions of jobs by ffv1_vulkan while $FAULT is set: they `fail` as those of a lost device
 * do, or `hang` so that only SIGKILL ends them. Proofs and measurements run as they are.
 */
function faultyFfmpeg(): string {
  const isOfJob = '*ffv1_vulkan*file:*/.darkstream/work/*'
  const lines = [
    '#!/bin/sh',
    'case "$FAULT $*" in',
    `fail${isOfJob}) echo '[ffv1_vulkan @ 0x1] [error] VK_ERROR_DEVICE_LOST' >&2; exit 187 ;;`,
    `hang${isOfJob}) kill -STOP $$ ;;`,
    'esac',
    `exec '${newer}' "$@"`,
  ]
  writeFileSync(join(shared, 'ffmpeg'), `${lines.join('\n')}\n`, { mode: 0o755 })
  writeFileSync(join(shared, 'ffprobe'), `#!/bin/sh\nexec '${join(dirname(newer), 'ffprobe')}' "$@"\n`, { mode: 0o755 })
  return join(shared, 'ffmpeg')
}

/** Clips that ffv1_vulkan takes, as they are and scaled. */
async function makeClips(folder: string, count: number): Promise<void> {
  const made = join(temporaryFolder(), 'clip.mkv')
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=512x256:rate=25:duration=0.4', '-pix_fmt', 'yuv420p']
  const argv = ['ffmpeg', '-nostdin', '-v', 'error', ...source, '-c:v', 'libx264', '-preset', 'ultrafast', made]
  expect(await Bun.spawn(argv, { stderr: 'inherit' }).exited).toBe(0)
  for (let number = 1; number <= count; number++) place(made, join(folder, `clip-${number}.mkv`))
}

describe.skipIf(isMissing)('on a Vulkan device', () => {
  test('a required GPU encodes a folder, and the jobs, status and stats say so', async () => {
    const base = temporaryFolder()
    const [source, output] = [join(base, 'in'), join(base, 'out')]
    mkdirSync(source)
    await makeClips(source, 2)
    const program = start(['start', source, output, '--port', '0', ...ffv1], {
      environment: { ...environment, DARKSTREAM_FFMPEG_GPU: 'require' },
    })
    const url = /http:\/\/[\d.:]+/.exec(await program.line(/--master-url/))?.[0] ?? ''
    const api = createClient(url)
    await eventually(async () => (await api.status({})).completed === 2)
    const { jobs } = await api.jobs({})
    const onDevice = { encoder: 'ffv1_vulkan', filter: 'vulkan', device: expect.stringContaining('llvmpipe') }
    for (const job of jobs) {
      expect(job.ran_on).toMatchObject(onDevice)
      expect(await probe(job.output_path)).toMatchObject({ video: 'ffv1', size: '256x128' })
    }
    const { workers } = await api.workers({})
    const seen = { vulkan_available: true, gpu_name: expect.stringContaining('llvmpipe'), gpu_usage: null }
    expect(workers).toMatchObject([seen])
    const ask = async (...args: string[]) => (await run([...args, '--master-url', url])).output
    expect(await ask('stats')).toMatch(/ffv1_vulkan on llvmpipe .*scaled there +2 +0 /)
    expect(await ask('status')).toContain('(1 GPU workers)')
    expect(await ask('jobs', jobs[0]?.id ?? '')).toContain('ran on: ffv1_vulkan on llvmpipe')
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
  })

  test('a GPU that fails is replaced by the CPU at once, set aside after three jobs, and shown so', async () => {
    const cluster = await startCluster({
      DARKSTREAM_CONVERSION_CODEC: 'ffv1',
      DARKSTREAM_CONVERSION_CONTAINER: 'mkv',
      DARKSTREAM_CONVERSION_TARGET_RESOLUTION: '256x128',
    })
    await makeClips(cluster.source, 5)
    cluster.worker('one', { ...environment, FAULT: 'fail', DARKSTREAM_WORKER_HEARTBEAT_INTERVAL: '100ms' })
    await eventually(async () => (await cluster.api.status({})).completed === 5)
    const { jobs } = await cluster.api.jobs({})
    const ranOn = jobs.map((job) => job.ran_on)
    expect(ranOn.map((ran) => ran?.encoder)).toEqual(['ffv1', 'ffv1', 'ffv1', 'ffv1', 'ffv1'])
    // The next job's encode may have begun before the third was known to be good.
    const fellBack = ranOn.filter((ran) => ran?.fell_back)
    expect([3, 4]).toContain(fellBack.length)
    expect(fellBack[0]?.reasons[0]).toMatch(/^ffv1_vulkan on llvmpipe .* failed: .*VK_ERROR_DEVICE_LOST/)
    expect(ranOn.find((ran) => ran?.fell_back === false)?.reasons.join()).toContain('is set aside for')
    const status = await eventually(async () => {
      const { output } = await run(['status', '--master-url', cluster.url])
      return output.includes('set aside for') && output
    })
    expect(status).toMatch(/GPU llvmpipe .* set aside for .* after 3 failures: ffv1_vulkan/)
    expect(status).toContain(`${fellBack.length} conversions fell back from a GPU`)
  })

  test('a GPU that hangs is killed and replaced by the CPU', async () => {
    const base = temporaryFolder()
    mkdirSync(join(base, 'in'))
    await makeClips(join(base, 'in'), 1)
    const args = ['start', join(base, 'in'), join(base, 'out'), '--once', '--log-level', 'info', ...ffv1]
    const { code, output } = await run(args, {
      environment: { ...environment, FAULT: 'hang', DARKSTREAM_FFMPEG_STALL_TIMEOUT: '1s' },
    })
    expect(output).toMatch(/fell back from a GPU to ffv1 on the CPU: ffv1_vulkan on llvmpipe .* no progress for 1 s/)
    expect(code).toBe(0)
    expect((await probe(join(base, 'out', 'clip-1.mkv'))).video).toBe('ffv1')
  })

  test('a worker that must use a GPU and has none that can do a thing does not start, and says why', async () => {
    const nowhere = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' }
    const { code, output } = await run(['worker', '--master-url', 'http://127.0.0.1:9'], {
      environment: { ...environment, ...nowhere, DARKSTREAM_FFMPEG_GPU: 'require' },
    })
    expect(code).toBe(1)
    expect(output).toContain('ffmpeg.gpu is require, and no GPU can be used: ')
  })

  test('of two devices of one name the one whose number is asked for is tried, and reaches ffmpeg by its number', async () => {
    const driver = lavapipe() ?? ''
    const { ICD } = JSON.parse(readFileSync(driver, 'utf8')) as { ICD: { library_path: string; api_version: string } }
    const folder = temporaryFolder()
    const library_path = join(folder, 'second.so')
    copyFileSync(resolve(dirname(driver), ICD.library_path), library_path)
    const second = { file_format_version: '1.0.0', ICD: { ...ICD, library_path } }
    writeFileSync(join(folder, 'second.json'), JSON.stringify(second))
    const both = {
      VK_DRIVER_FILES: `${driver}:${join(folder, 'second.json')}`,
      DARKSTREAM_VULKAN_PREFERRED_DEVICE: '1',
    }
    const { output } = await run(['detect', '--quick', '--json'], { environment: { ...environment, ...both } })
    const { gpus, vulkan } = JSON.parse(output) as Detection
    expect(vulkan.devices).toHaveLength(2)
    expect(gpus).toMatchObject([{ id: 'vulkan:1', selector: '1' }])
    expect(gpus[0]?.capabilities.find(({ by }) => by === 'ffv1_vulkan')?.proved).toBe(true)
  })

  test('detect shows what was proved by name, and what could not be and why', async () => {
    const { output } = await run(['detect', '--quick'], { environment })
    expect(output).toContain('Vulkan Status: ✓ Available')
    expect(output).toMatch(
      /Encoding: FFV1, ProRes \(proved: FFV1 8 and 10 bit, ProRes 10 bit; not H\.264 .*no Vulkan Video/,
    )
    expect(output).toMatch(/Decoding: FFV1, ProRes \(proved: /)
    expect(output).toContain(
      'Filtering: scale_vulkan, libplacebo (proved: scale_vulkan 8 and 10 bit, libplacebo 10 bit)',
    )
    const old = await run(['detect', '--quick', '--json'], {
      environment: { ...environment, DARKSTREAM_FFMPEG_PATH: 'ffmpeg' },
    })
    const found = JSON.parse(old.output) as Detection
    expect(found.vulkan.default_device).toContain('llvmpipe')
    expect(found.gpus[0]?.capabilities.find(({ by }) => by === 'ffv1_vulkan')).toMatchObject({ proved: false })
  })
})
