import type { GpuAccess } from '../../src/pipeline/gpu-access.ts'

/** For a machine without GPUs, or one whose GPUs are not to be used. */
export const noGpus: GpuAccess = {
  mode: 'off',
  usable: () => ({ gpus: [], reasons: [] }),
  rank: ({ candidates }) => Promise.resolve({ candidates: [...candidates], reasons: [] }),
  take: () => undefined,
  whenFree: () => Promise.resolve(),
}
