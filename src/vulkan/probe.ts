import { enumerate, ProbeFailure } from './calls.ts'
import { deviceFacts } from './device.ts'
import { createInstance, type ProbeRequest } from './instance.ts'
import { constants } from './layout.ts'
import type { InstanceFunctions } from './library.ts'
import { Memory } from './memory.ts'

/**
 * Asks the drivers of this machine what they have. It calls into their code, which may end or hold this process at any
 * call: it belongs into a child. No device is created, nothing is computed. What fails is told, not thrown.
 */
export function probeVulkan(request: ProbeRequest): void {
  const { library, tell } = request
  const memory = new Memory(library.addressOf)
  try {
    const instance = createInstance(request, memory)
    const functions = library.forInstance(instance)
    tell({ kind: 'step', step: 'the devices were listed' })
    for (const [index, device] of physicalDevices(functions, instance, memory).entries()) {
      tell({ kind: 'device', device: deviceFacts({ ...request, functions, device, index, memory }) })
    }
    tell({ kind: 'step', step: 'the instance was given back' })
    functions.vkDestroyInstance?.(instance, null)
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error
    tell({ kind: 'problem', problem: error.problem })
  } finally {
    memory.release()
  }
  tell({ kind: 'end' })
}

/** The handles; none is no failure, though loaders before 1.3 call it VK_ERROR_INITIALIZATION_FAILED. */
function physicalDevices(functions: InstanceFunctions, instance: bigint, memory: Memory): bigint[] {
  const list = enumerate('vkEnumeratePhysicalDevices', 8, memory, (count, items) => {
    const result = functions.vkEnumeratePhysicalDevices?.(instance, count, items)
    return result === constants.VK_ERROR_INITIALIZATION_FAILED ? 0 : result
  })
  return Array.from({ length: list.count }, (_, index) => list.view.getBigUint64(index * 8, true))
}
