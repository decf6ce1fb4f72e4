import type { Gpu } from '../../contract/gpu.ts'
import { ssimProblem } from './check-result.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'
import { planarFormat, smallSize, testSize, testSource, trialPlan } from './trial-plan.ts'

const frames = 10
/** Two good scalers are at 0.99. */
const leastSsim = 0.95

/** Scales a moving test picture by a GPU and by the CPU and compares the two; why it failed, or null. */
export async function tryScale(setting: TrialSetting, gpu: Gpu, bit_depth: number): Promise<string | null> {
  // As engines for video hold their pixels, and in planes, as shaders do.
  return (await tryLayout(setting, gpu, bit_depth, 'hevc')) ?? tryLayout(setting, gpu, bit_depth, 'ffv1')
}

async function tryLayout(
  setting: TrialSetting,
  gpu: Gpu,
  bit_depth: number,
  codec: 'hevc' | 'ffv1',
): Promise<string | null> {
  const planar = planarFormat(bit_depth)
  const { video } = trialPlan({
    gpu,
    path: { decode: 'cpu', filter: 'vulkan', ...(codec === 'ffv1' && { encoder: 'ffv1_vulkan' }) },
    picture: { ...testSize, pixel_format: planar, bit_depth },
    codec,
    size: smallSize,
  })
  const onGpu = codec === 'ffv1' ? [...video.filters, 'hwdownload', `format=${planar}`] : video.filters
  const graph = [
    'split[one][other]',
    `[one]${onGpu.join(',')}[by_gpu]`,
    `[other]format=${planar},scale=w=${smallSize.width}:h=${smallSize.height},setsar=1,format=${planar}[by_cpu]`,
    '[by_gpu][by_cpu]ssim',
  ].join(';')
  const { reason, result } = await trial(setting, {
    what: 'scaling',
    args: [
      [...video.device, '-f', 'lavfi', '-i', testSource(testSize), '-frames:v', String(frames)],
      ['-filter_complex', graph, '-f', 'null', '-'],
    ].flat(),
    timeout_ms: trialTimeoutMs,
    level: 'info',
  })
  return reason ?? ssimProblem(result?.stderr_tail ?? '', leastSsim)
}
