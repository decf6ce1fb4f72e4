import type { Gpu } from '../../src/contract/gpu.ts'
import type { GpuAccess } from '../../src/pipeline/gpu-access.ts'
import { gpu } from '../pipeline/samples.ts'
import { capability } from './capability.ts'
import { noGpus } from './no-gpus.ts'

/** What lavapipe does, which is all that Vulkan has but the engines for video. */
export const lavapipe: Gpu = gpu({
  name: 'llvmpipe',
  type: 'cpu',
  capabilities: [8, 10].flatMap((bit_depth) => [
    capability({ codec: 'ffv1', by: 'ffv1_vulkan', bit_depth }),
    capability({ operation: 'decode', codec: 'ffv1', by: 'vulkan', bit_depth }),
    capability({ operation: 'filter', codec: null, by: 'scale_vulkan', bit_depth }),
    capability({ codec: 'prores', by: 'prores_ks_vulkan', bit_depth }),
  ]),
})

/** The GPU for whatever it can do, in the order of choice. */
export function required(device: Gpu, mode: GpuAccess['mode'] = 'require'): GpuAccess {
  const slot = { release: () => {}, hung: () => {}, succeeded: () => {}, failed: () => {} }
  return { ...noGpus, mode, usable: () => ({ gpus: [device], reasons: [] }), take: () => slot }
}
