import type { VulkanProblem } from '../contract/vulkan.ts'
import { constants, resultName } from './layout.ts'
import type { Memory } from './memory.ts'

/** A call failed in a way that ends the probe. */
export class ProbeFailure extends Error {
  readonly problem: VulkanProblem

  constructor(code: VulkanProblem['code'], message: string) {
    super(message)
    this.problem = { code, message }
  }
}

/** A list that C hands out in two calls, of plain structs; it may grow between them (VK_INCOMPLETE), then again. */
export function enumerate(
  name: string,
  stride: number,
  memory: Memory,
  call: (count: Uint8Array, items: Uint8Array | null) => number | undefined,
): { view: DataView; count: number } {
  const count = memory.block(4)
  for (let attempt = 1; ; attempt++) {
    check(name, call(count.bytes, null))
    const items = memory.block(stride * count.view.getUint32(0, true))
    const result = call(count.bytes, items.bytes)
    if (result === constants.VK_INCOMPLETE && attempt < 5) continue
    if (result !== constants.VK_INCOMPLETE) check(name, result)
    return { view: items.view, count: count.view.getUint32(0, true) }
  }
}

/** Throws unless a call succeeded; undefined is a function that the loader does not have. */
export function check(name: string, result: number | undefined): void {
  if (result === 0) return
  throw new ProbeFailure('failed', `${name} ${result === undefined ? 'is missing' : `failed: ${resultName(result)}`}`)
}
