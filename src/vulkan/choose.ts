import type { DeviceFacts, VulkanDeviceType, VulkanProblem } from '../contract/vulkan.ts'

/** Which device a setting means. */
export interface Choice {
  /** Null when it means none; `problem` then says why, unless there are no devices at all. */
  index: number | null
  /** Whether it was asked for by name or number. */
  is_named: boolean
  problem: VulkanProblem | null
}

type Candidate = Pick<DeviceFacts, 'index' | 'name' | 'type'>

/** The order of `auto`. A processor is none of them: ffmpeg's own encoders use it better. */
const order: readonly VulkanDeviceType[] = ['discrete', 'integrated', 'virtual', 'other']

/** The devices that a setting allows, the best first: with `auto` every one that is no processor, else the one it means. */
export function allowedDevices<T extends Candidate>(devices: readonly T[], preferred: string): T[] {
  const { index, is_named } = chooseDevice(devices, preferred)
  if (is_named) return devices.filter((device) => device.index === index)
  return order.flatMap((type) => devices.filter((device) => device.type === type))
}

/** The device that `vulkan.preferred_device` means: `auto`, a name, a number of the list, or a part of a name. */
export function chooseDevice(devices: readonly Candidate[], preferred: string): Choice {
  if (devices.length === 0) return { index: null, is_named: false, problem: null }
  if (preferred.toLowerCase() === 'auto') return automatic(devices)
  const wanted = preferred.toLowerCase()
  const found =
    devices.find(({ name }) => name.toLowerCase() === wanted) ??
    (/^\d{1,3}$/.test(wanted)
      ? devices.find(({ index }) => index === Number(wanted))
      : devices.find(({ name }) => name.toLowerCase().includes(wanted)))
  if (found) return { index: found.index, is_named: true, problem: null }
  const names = devices.map(({ index, name }) => `${index}: ${name}`).join(', ')
  const message = `vulkan.preferred_device is ${JSON.stringify(preferred)}, and no device is called so; the devices are ${names}`
  return { index: null, is_named: false, problem: { code: 'no_match', message } }
}

function automatic(devices: readonly Candidate[]): Choice {
  const best = order.flatMap((type) => devices.filter((device) => device.type === type))[0]
  if (best) return { index: best.index, is_named: false, problem: null }
  const names = devices.map(({ name }) => name).join(', ')
  const message = `no GPU: the only Vulkan device is the CPU (${names}), which is used only when vulkan.preferred_device names it`
  return { index: null, is_named: false, problem: { code: 'only_cpu', message } }
}
