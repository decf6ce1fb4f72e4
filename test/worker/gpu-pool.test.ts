import { describe, expect, test } from 'bun:test'
import type { GpuUsage, PathFigure } from '../../src/contract/gpu.ts'
import { planPicture } from '../../src/pipeline/plan/video/picture.ts'
import { type PathCandidate, videoPaths } from '../../src/pipeline/plan/video/paths.ts'
import { createLog } from '../../src/util/log.ts'
import { GpuPool, type GpuPoolOptions } from '../../src/worker/gpu-pool.ts'
import { caught, gpu, settings as settingsOf, video } from '../pipeline/samples.ts'
import { capability } from '../support/capability.ts'

const { signal } = new AbortController()
const settings = settingsOf({ target_resolution: { width: 1280, height: 720 } })
const picture = planPicture(video({ duration_seconds: 3600 }), settings)
const nothing: GpuUsage = { usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }

function openPool(changes: Partial<GpuPoolOptions> = {}) {
  const lines: string[] = []
  const clock = { now: 1000 }
  const pool = new GpuPool({
    mode: 'prefer',
    gpus: [gpu({ decode_slots: 2 })],
    problem: null,
    has_gpu: true,
    slots: 3,
    recall: () => Promise.resolve(undefined),
    measure: () => Promise.resolve([]),
    usage: () => nothing,
    now: () => clock.now,
    log: createLog({ level: 'debug', format: 'text', output_path: null, write: (line) => lines.push(line) }),
    ...changes,
  })
  const { candidates } = videoPaths(picture, pool.usable().gpus)
  return { pool, lines, clock, candidates }
}

/** The first candidate of this kind. */
function pathOf(candidates: readonly PathCandidate[], decode: 'cpu' | 'vulkan', encoder: string): PathCandidate {
  const found = candidates.find((path) => path.decode === decode && path.encoder === encoder)
  if (!found) throw new Error(`no such path: ${decode} ${encoder}`)
  return found
}

function figure(path: PathCandidate, fps: number | null): PathFigure {
  const { decode, filter, encoder, device } = path
  const source = { source_codec: 'h264', bit_depth: 8, size_class: 'hd', codec: 'h264' } as const
  const reason = fps === null ? 'device lost' : null
  return {
    ...source,
    decode,
    filter,
    encoder,
    device,
    processes: 2,
    fps,
    start_ms: 100,
    cpu_ms_per_frame: 1,
    reason,
    gpu_id: path.gpu?.id ?? null,
  }
}

describe('places', () => {
  test('are so many a card, and fewer for decoding', () => {
    const { pool, candidates } = openPool()
    const [decoding, encoding] = [pathOf(candidates, 'vulkan', 'h264_vulkan'), pathOf(candidates, 'cpu', 'h264_vulkan')]
    const first = pool.take(decoding)
    expect(first).toBeDefined()
    expect(pool.take(decoding)).toBeDefined()
    expect(pool.take(decoding)).toBeUndefined()
    expect(pool.take(encoding)).toBeDefined()
    expect(pool.take(encoding)).toBeUndefined()
    expect(pool.report().gpus).toMatchObject([{ active_jobs: 3, slots: 3, decode_slots: 2 }])
    first?.release()
    first?.release()
    expect(pool.report().gpus).toMatchObject([{ active_jobs: 2 }])
    expect(pool.take(decoding)).toBeDefined()
  })

  test('are shared by all ways to one card', () => {
    const nvenc = gpu({ id: 'nvenc', api: 'nvenc', selector: '', capabilities: [capability({ by: 'h264_nvenc' })] })
    const { pool, candidates } = openPool({ gpus: [gpu(), nvenc], slots: 1 })
    const slot = pool.take(pathOf(candidates, 'cpu', 'h264_nvenc'))
    expect(slot).toBeDefined()
    expect(pool.take(pathOf(candidates, 'cpu', 'h264_vulkan'))).toBeUndefined()
    slot?.release()
    expect(pool.take(pathOf(candidates, 'cpu', 'h264_vulkan'))).toBeDefined()
  })

  test('who waits for one is woken when one is given back', async () => {
    const { pool, candidates } = openPool({ slots: 1 })
    const slot = pool.take(pathOf(candidates, 'cpu', 'h264_vulkan'))
    const woken = pool.whenFree(signal)
    slot?.release()
    await woken
  })
})

describe('a card that fails', () => {
  test('three jobs in a row is set aside, says so, and comes back', () => {
    const { pool, clock, candidates, lines } = openPool()
    const path = pathOf(candidates, 'cpu', 'h264_vulkan')
    for (let job = 0; job < 3; job++) {
      const slot = pool.take(path)
      slot?.release()
      slot?.failed({ reason: 'device lost', is_of_gpu: true })
    }
    expect(pool.take(path)).toBeUndefined()
    expect(pool.usable()).toEqual({
      gpus: [],
      reasons: ['Card is set aside for 60 s after 3 failures: device lost'],
    })
    expect(pool.report().gpus[0]?.set_aside).toEqual({ seconds_left: 60, failures: 3, reason: 'device lost' })
    expect(pool.summary().vulkan_available).toBe(false)
    expect(lines.some((line) => line.includes('set aside for 60 s'))).toBe(true)
    clock.now += 60_000
    expect(pool.take(path)).toBeDefined()
    expect(pool.summary().vulkan_available).toBe(true)
  })

  test('now and then is none to set aside', () => {
    const { pool, candidates } = openPool()
    const path = pathOf(candidates, 'cpu', 'h264_vulkan')
    for (let job = 0; job < 10; job++) {
      const slot = pool.take(path)
      slot?.release()
      if (job % 3 === 2) slot?.succeeded()
      else slot?.failed({ reason: 'device lost', is_of_gpu: true })
    }
    expect(pool.usable().gpus).toHaveLength(1)
  })

  test('by hanging while it decodes several decodes one at a time from then on', () => {
    const { pool, candidates } = openPool()
    const path = pathOf(candidates, 'vulkan', 'h264_vulkan')
    const [first, second] = [pool.take(path), pool.take(path)]
    // The other may have ended by the time that the hang is known for one.
    second?.release()
    first?.hung()
    first?.release()
    expect(pool.report().gpus[0]?.decode_slots).toBe(1)
    expect(pool.take(path)).toBeDefined()
    expect(pool.take(path)).toBeUndefined()
  })

  test('by hanging alone decodes as many as before', () => {
    const { pool, candidates } = openPool()
    const path = pathOf(candidates, 'vulkan', 'h264_vulkan')
    const alone = pool.take(path)
    alone?.release()
    pool.take(path)
    pool.take(path)
    alone?.hung()
    expect(pool.report().gpus[0]?.decode_slots).toBe(2)
  })

  test('on one path only keeps its others, and tries that one last for a while', async () => {
    const { pool, clock, candidates } = openPool()
    const [whole, encoding] = [pathOf(candidates, 'vulkan', 'h264_vulkan'), pathOf(candidates, 'cpu', 'h264_vulkan')]
    for (let job = 0; job < 3; job++) {
      const [bad, good] = [pool.take(whole), pool.take(encoding)]
      bad?.failed({ reason: 'device lost', is_of_gpu: false })
      good?.succeeded()
      for (const slot of [bad, good]) slot?.release()
    }
    const question = { picture: planPicture(video({ duration_seconds: 1 }), settings), settings, candidates }
    const ranked = await pool.rank(question, signal)
    expect(ranked.candidates.at(-1)).toBe(whole)
    expect(ranked.reasons).toEqual(['device lost'])
    expect(pool.usable().gpus).toHaveLength(1)
    clock.now += 60_000
    expect((await pool.rank(question, signal)).candidates[0]).toBe(whole)
  })

  test('leaves a worker that must use one idle until it is back', () => {
    const { pool, clock, candidates } = openPool({ mode: 'require' })
    expect(pool.whyIdle()).toBeUndefined()
    for (let job = 0; job < 3; job++) {
      pool.take(pathOf(candidates, 'cpu', 'h264_vulkan'))?.failed({ reason: 'device lost', is_of_gpu: true })
    }
    expect(pool.whyIdle()).toBe('ffmpeg.gpu is require, and every GPU is set aside for a while (Card: device lost)')
    clock.now += 60_000
    expect(pool.whyIdle()).toBeUndefined()
  })
})

describe('which path is best', () => {
  test('is what was measured, once for a kind of source, and the reason is told', async () => {
    let measurements = 0
    const { pool, candidates } = openPool({
      measure: () => {
        measurements++
        return Promise.resolve(candidates.map((path) => figure(path, path.gpu === null ? 300 : 40)))
      },
    })
    const question = { picture, settings, candidates }
    const [one, two] = await Promise.all([pool.rank(question, signal), pool.rank(question, signal)])
    expect(one.candidates[0]).toMatchObject({ encoder: 'libx264', device: null })
    expect(one.reasons).toEqual([
      'h264_vulkan on Card, decoded and scaled there was measured at 40.0 fps, libx264 on the CPU at 300.0 fps',
    ])
    expect(two.candidates).toEqual(one.candidates)
    await pool.rank(question, signal)
    expect(measurements).toBe(1)
    expect(pool.report().figures).toHaveLength(candidates.length)
    await pool.rank({ ...question, settings: { ...settings, preset: 'slow' } }, signal)
    expect(measurements).toBe(2)
  })

  test('is what an earlier run has measured, whatever the length of the film', async () => {
    const { pool, candidates } = openPool({
      recall: () => Promise.resolve(candidates.map((path) => figure(path, path.gpu === null ? 300 : 40))),
      measure: () => Promise.reject(new Error('must not be asked')),
    })
    const short = planPicture(video({ duration_seconds: 1 }), settings)
    const { candidates: ranked } = await pool.rank({ picture: short, settings, candidates }, signal)
    expect(ranked[0]).toMatchObject({ encoder: 'libx264', device: null })
  })

  test('is not measured for a few clips, since that would take longer than they do', async () => {
    let measurements = 0
    const { pool, candidates } = openPool({
      measure: () => {
        measurements++
        return Promise.resolve([])
      },
    })
    const short = planPicture(video({ duration_seconds: 200 }), settings)
    const asked: number[] = []
    for (let clip = 0; clip < 3; clip++) {
      await pool.rank({ picture: short, settings, candidates }, signal)
      asked.push(measurements)
    }
    expect(asked).toEqual([0, 0, 1])
  })

  test('is the order of choice where nothing could be measured, which is tried once', async () => {
    let measurements = 0
    const { pool, candidates, lines } = openPool({
      measure: () => {
        measurements++
        return Promise.reject(new Error('no room'))
      },
    })
    const ranked = await pool.rank({ picture, settings, candidates }, signal)
    expect(ranked).toEqual({ candidates, reasons: [] })
    expect(lines.some((line) => line.includes('no room'))).toBe(true)
    await pool.rank({ picture, settings, candidates }, signal)
    expect(measurements).toBe(1)
  })

  test('is not measured where there is only one', async () => {
    const { pool, candidates } = openPool({ measure: () => Promise.reject(new Error('must not be asked')) })
    const only = candidates.slice(-1)
    expect(await pool.rank({ picture, settings, candidates: only }, signal)).toEqual({ candidates: only, reasons: [] })
  })

  test('is measured with the decodes that are free, and not at all while there is none', async () => {
    const seen: number[] = []
    const { pool, candidates } = openPool({
      measure: (_, __, gpus) => {
        seen.push(gpus[0]?.decode_slots ?? -1)
        // Nobody else may decode meanwhile.
        expect(pool.take(pathOf(candidates, 'vulkan', 'h264_vulkan'))).toBeUndefined()
        return Promise.resolve([])
      },
    })
    const path = pathOf(candidates, 'vulkan', 'h264_vulkan')
    const [first, second] = [pool.take(path), pool.take(path)]
    await pool.rank({ picture, settings, candidates }, signal)
    expect(seen).toEqual([])
    second?.release()
    await pool.rank({ picture, settings, candidates }, signal)
    expect(seen).toEqual([1])
    first?.release()
    expect(pool.take(path)).toBeDefined()
  })

  test('does not hold up a job that is cancelled meanwhile', async () => {
    const { pool, candidates } = openPool({ measure: () => new Promise<PathFigure[]>(() => {}) })
    const cancel = new AbortController()
    const ranking = caught(pool.rank({ picture, settings, candidates }, cancel.signal))
    cancel.abort()
    await ranking
  })
})

/** Asks for a clip that is too short to be measured for. */
function question(candidates: readonly PathCandidate[]) {
  return { picture: planPicture(video({ duration_seconds: 1 }), settings), settings, candidates }
}

async function firstOf(pool: GpuPool, candidates: readonly PathCandidate[]): Promise<PathCandidate> {
  const [first] = (await pool.rank(question(candidates), signal)).candidates
  return first ?? pathOf(candidates, 'cpu', 'libx264')
}

describe('several cards', () => {
  const second = gpu({
    id: 'vulkan:1',
    selector: '1',
    name: 'Second',
    pci_address: '0000:02:00.0',
    decode_slots: 3,
  })
  test('of a kind share the work: the one with the fewest jobs comes first', async () => {
    const { pool, candidates } = openPool({ gpus: [gpu({ decode_slots: 3 }), second] })
    const names: (string | null)[] = []
    for (let job = 0; job < 4; job++) {
      const path = await firstOf(pool, candidates)
      pool.take(path)
      names.push(path.device)
    }
    expect(names).toEqual(['Card', 'Second', 'Card', 'Second'])
  })

  test('of which one is slower leave it the rest', async () => {
    const { pool, candidates } = openPool({
      gpus: [gpu({ decode_slots: 3 }), second],
      recall: () => Promise.resolve(candidates.map((path) => figure(path, path.device === 'Card' ? 300 : 200))),
    })
    const path = await firstOf(pool, candidates)
    pool.take(path)
    expect([path.device, (await firstOf(pool, candidates)).device]).toEqual(['Card', 'Card'])
  })
})

test('what is told of a worker is what its GPUs say, and nothing where they say nothing', () => {
  const second = gpu({
    id: 'vulkan:1',
    selector: '1',
    name: 'Second',
    pci_address: '0000:02:00.0',
    decode_slots: 3,
  })
  const usage = { 'vulkan:0': 12, 'vulkan:1': 87 } as Record<string, number>
  const { pool } = openPool({
    gpus: [gpu(), second],
    usage: (id) => ({ ...nothing, usage: usage[id] ?? null }),
  })
  expect(pool.summary()).toEqual({ vulkan_available: true, gpu: 'Card', gpu_usage: 87 })
  expect(openPool().pool.summary().gpu_usage).toBeNull()
  expect(openPool({ gpus: [], problem: 'no GPU was found' }).pool.summary()).toEqual({
    vulkan_available: false,
    gpu: '',
    gpu_usage: null,
  })
})
