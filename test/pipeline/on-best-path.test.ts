import { describe, expect, test } from 'bun:test'
import { ConversionError } from '../../src/contract/failure.ts'
import { EncodeError } from '../../src/pipeline/encode-error.ts'
import type { GpuAccess, GpuMode } from '../../src/pipeline/gpu-access.ts'
import { onBestPath } from '../../src/pipeline/on-best-path.ts'
import type { PathCandidate } from '../../src/pipeline/plan/video/paths.ts'
import { planPicture } from '../../src/pipeline/plan/video/picture.ts'
import { SkippedError } from '../../src/pipeline/skipped-error.ts'
import { capability } from '../support/capability.ts'
import { caught, gpu, settings as settingsOf, video } from './samples.ts'

const { signal } = new AbortController()
const settings = settingsOf()
const picture = planPicture(video(), settings)
/** Encodes, and nothing else. */
const card = gpu({ capabilities: [capability({})] })

/** GPUs that write down what is done with them. */
function openAccess(changes: Partial<GpuAccess> & { mode?: GpuMode } = {}) {
  const said: string[] = []
  const access: GpuAccess = {
    mode: 'prefer',
    usable: () => ({ gpus: [card], reasons: [] }),
    rank: ({ candidates }) => Promise.resolve({ candidates: [...candidates], reasons: [] }),
    take: () => ({
      release: () => said.push('released'),
      succeeded: () => said.push('succeeded'),
      failed: ({ reason, is_of_gpu }) => said.push(`${is_of_gpu ? 'failed' : 'a path failed'}: ${reason}`),
      hung: () => said.push('hung'),
    }),
    whenFree: () => Promise.resolve(),
    ...changes,
  }
  return { access, said }
}

function failing(kind: EncodeError['kind'], failureClass: 'permanent' | 'retryable' | 'worker' = 'worker') {
  const report = { step: 'encode' as const, command: [], stderr_tail: '', exit_code: 218 }
  return new EncodeError(kind, `${kind} went wrong`, { class: failureClass, ...report })
}

/** Runs with an outcome for each path in turn; the encoders that ran, and what came of it. */
async function runOn(access: GpuAccess, outcomes: readonly (Error | 'good')[]) {
  const ran: string[] = []
  const rest = [...outcomes]
  const run = (path: PathCandidate): Promise<string> => {
    ran.push(path.encoder)
    const outcome = rest.shift()
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve('done')
  }
  const asked = onBestPath({ picture, settings, access }, signal, run)
  const error = await caught(asked)
  return { ran, error, result: error === undefined ? await asked : undefined }
}

const onCard = { decode: 'cpu', filter: 'cpu', encoder: 'h264_vulkan', device: 'Card' } as const
const onCpu = { decode: 'cpu', filter: 'cpu', encoder: 'libx264', device: null } as const

test('the best path runs, and its place is given back', async () => {
  const { access, said } = openAccess()
  const { ran, result } = await runOn(access, ['good'])
  expect(ran).toEqual(['h264_vulkan'])
  expect(result?.ran_on).toMatchObject({ ...onCard, fell_back: false })
  expect(said).toEqual(['succeeded', 'released'])
})

test('a result that turns out not to be wanted is a success of its path, and hands nothing over', async () => {
  const { access, said } = openAccess()
  const tooLarge = new SkippedError('too large')
  const { ran, error } = await runOn(access, [failing('other'), tooLarge])
  expect(ran).toEqual(['h264_vulkan', 'libx264'])
  expect(error).toBe(tooLarge)
  expect(tooLarge.ran_on).toMatchObject({ ...onCpu, fell_back: true })
  expect(said).toEqual(['released', 'failed: h264_vulkan on Card failed: other went wrong'])
  const again = openAccess()
  expect((await runOn(again.access, [new SkippedError('too large')])).ran).toEqual(['h264_vulkan'])
  expect(again.said).toEqual(['succeeded', 'released'])
})

test('the place is free for the next conversion as soon as the encode is over', async () => {
  const { access, said } = openAccess()
  await onBestPath({ picture, settings, access }, signal, (_, onEncoded) => {
    onEncoded()
    expect(said).toEqual(['released'])
    return Promise.resolve('checked')
  })
})

describe('a GPU that fails', () => {
  test('hands over to the next path at once, and is to blame when that one succeeds', async () => {
    const { access, said } = openAccess()
    const { ran, result } = await runOn(access, [failing('stall', 'retryable'), 'good'])
    expect(ran).toEqual(['h264_vulkan', 'libx264'])
    expect(result?.ran_on).toMatchObject({ ...onCpu, fell_back: true })
    expect(result?.ran_on.reasons[0]).toBe('h264_vulkan on Card failed: stall went wrong')
    expect(said).toEqual(['hung', 'released', 'failed: h264_vulkan on Card failed: stall went wrong'])
  })

  test('on several of its paths is blamed once, and not at all when another of its paths did it', async () => {
    const both = gpu({
      capabilities: [capability({}), capability({ operation: 'filter', codec: null, by: 'scale_vulkan' })],
    })
    const small = { ...settings, target_resolution: { width: 1280, height: 720 } }
    const scaled = planPicture(video(), small)
    const outcomes = async (...errors: (Error | undefined)[]) => {
      const { access, said } = openAccess({ usable: () => ({ gpus: [both], reasons: [] }) })
      const asked = { picture: scaled, settings: small, access }
      await onBestPath(asked, signal, () => {
        const error = errors.shift()
        return error ? Promise.reject(error) : Promise.resolve('done')
      })
      return said.filter((line) => line.includes('failed')).map((line) => line.split(':')[0])
    }
    expect(await outcomes(failing('other'), failing('other'))).toEqual(['failed', 'a path failed'])
    expect(await outcomes(failing('other'))).toEqual(['a path failed'])
  })

  test('is not to blame for a source that the CPU cannot read either', async () => {
    const { access, said } = openAccess()
    const { ran, error } = await runOn(access, [failing('other', 'permanent'), failing('other', 'permanent')])
    expect(ran).toEqual(['h264_vulkan', 'libx264'])
    expect(error).toMatchObject({ report: { class: 'permanent' }, ran_on: { ...onCpu, fell_back: true } })
    expect(said).toEqual(['released'])
  })

  test('by a result that the check refuses hands over too', async () => {
    const { access } = openAccess()
    const refused = new ConversionError('the result has 3 of 25 encoded frames', { class: 'retryable', step: 'verify' })
    expect((await runOn(access, [refused, 'good'])).ran).toEqual(['h264_vulkan', 'libx264'])
  })

  test('for a full disk hands nothing over: the disk is as full for the CPU', async () => {
    const { access, said } = openAccess()
    const { ran, error } = await runOn(access, [failing('storage', 'retryable')])
    expect(ran).toEqual(['h264_vulkan'])
    expect(error).toMatchObject({ message: 'storage went wrong' })
    expect(said).toEqual(['released'])
  })
})

describe('when all places are taken', () => {
  test('the next path is free, and the reason is told', async () => {
    const { access } = openAccess({ take: () => undefined })
    const { ran, result } = await runOn(access, ['good'])
    expect(ran).toEqual(['libx264'])
    expect(result?.ran_on).toMatchObject({ ...onCpu, fell_back: false })
    const busy = result?.ran_on.reasons.filter((reason) => reason.endsWith('all places are taken'))
    expect(busy).toEqual(['h264_vulkan on Card: all places are taken'])
  })

  test('one who must use a GPU waits for one', async () => {
    let looks = 0
    const { access: free } = openAccess()
    const { access } = openAccess({ mode: 'require', take: (path) => (++looks < 3 ? undefined : free.take(path)) })
    const { ran, result } = await runOn(access, ['good'])
    expect([ran, looks]).toEqual([['h264_vulkan'], 3])
    expect(result?.ran_on).toMatchObject(onCard)
  })
})

describe('with a GPU required', () => {
  test('the CPU is never asked, and the worker is at fault', async () => {
    const { access, said } = openAccess({ mode: 'require' })
    const { ran, error } = await runOn(access, [failing('other', 'retryable')])
    expect(ran).toEqual(['h264_vulkan'])
    expect(error).toMatchObject({
      message: 'other went wrong (ffmpeg.gpu is require, so the CPU was not tried)',
      report: { class: 'worker', step: 'encode', exit_code: 218 },
      ran_on: onCard,
    })
    expect(said).toEqual(['released', 'failed: h264_vulkan on Card failed: other went wrong'].toReversed())
  })

  test('a damaged source stays the source’s fault', async () => {
    const { access, said } = openAccess({ mode: 'require' })
    const { error } = await runOn(access, [failing('other', 'permanent')])
    expect(error).toMatchObject({ report: { class: 'permanent' } })
    expect(said).toEqual(['released'])
  })

  test('what only a GPU took for damage is the GPU’s fault', async () => {
    const decoder = gpu({ capabilities: [capability({ operation: 'decode', by: 'vulkan' })] })
    const { access, said } = openAccess({ mode: 'require', usable: () => ({ gpus: [decoder], reasons: [] }) })
    const { error } = await runOn(access, [failing('other', 'permanent')])
    expect(error).toMatchObject({ report: { class: 'worker' } })
    expect(said.filter((line) => line.startsWith('failed'))).toHaveLength(1)
  })

  test('what no GPU has proved fails with the reasons', async () => {
    const bare = gpu({ capabilities: [capability({ proved: false, reason: 'the driver has no encode queue' })] })
    const { access } = openAccess({ mode: 'require', usable: () => ({ gpus: [bare], reasons: [] }) })
    const { ran, error } = await runOn(access, [])
    expect(ran).toEqual([])
    expect((error as Error).message).toStartWith(
      'ffmpeg.gpu is require, and no GPU can convert it: Card does not encode it: the driver has no encode queue',
    )
    expect(error).toMatchObject({ report: { class: 'worker', step: 'plan' }, ran_on: null })
  })
})

test('a conversion that is stopped is no failure of its GPU', async () => {
  const { access, said } = openAccess()
  const stop = new AbortController()
  const stopped = new Error('stopped')
  const run = () => {
    stop.abort(stopped)
    return Promise.reject(stopped)
  }
  expect(await caught(onBestPath({ picture, settings, access }, stop.signal, run))).toBe(stopped)
  expect(said).toEqual(['released'])
})
