import type { VulkanDevice } from '../../contract/vulkan.ts'
import type { ListedGpu } from './ffmpeg-lists.ts'

/** What tells one device from another on both sides. */
export type KnownDevice = Pick<VulkanDevice, 'index' | 'name' | 'type' | 'device_id'>

/**
 * FFmpeg's number of each device, in their order; undefined for one that it does not list. Both sides usually count the
 * same, so a device of the same name and id at our own number is taken first; then, of several equal ones, the k-th is
 * the k-th; at last the name may differ, as that of lavapipe does from one version of Mesa to the next.
 */
export function matchDevices(devices: readonly KnownDevice[], listed: readonly ListedGpu[]): (number | undefined)[] {
  const found = new Map<KnownDevice, number>()
  const match = (isSame: (device: KnownDevice, gpu: ListedGpu) => boolean) => {
    for (const device of devices.toSorted((a, b) => a.index - b.index)) {
      if (found.has(device)) continue
      const taken = new Set(found.values())
      const gpu = listed.find((gpu) => !taken.has(gpu.number) && isSame(device, gpu))
      if (gpu) found.set(device, gpu.number)
    }
  }
  const isEqual = (device: KnownDevice, gpu: ListedGpu) =>
    device.name === gpu.name && device.device_id === gpu.device_id
  match((device, gpu) => isEqual(device, gpu) && device.index === gpu.number)
  match(isEqual)
  match((device, gpu) => device.type === gpu.type && device.device_id === gpu.device_id)
  return devices.map((device) => found.get(device))
}
