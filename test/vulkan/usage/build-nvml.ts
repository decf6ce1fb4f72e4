import { join } from 'node:path'

/** Compiles our own NVML into a folder, under the name that the real one has on Linux; its path. */
export function buildNvml(folder: string, ...flags: string[]): string {
  const library = join(folder, 'libnvidia-ml.so.1')
  const cc = Bun.spawnSync(['cc', '-shared', '-fPIC', '-o', library, ...flags, join(import.meta.dir, 'nvml.c')])
  if (!cc.success) throw new Error(cc.stderr.toString())
  return library
}
