import type { DeviceFacts, VideoClaim, VulkanDevice, VulkanReport } from '../contract/vulkan.ts'
import { isDeadly } from './blame.ts'
import { chooseDevice } from './choose.ts'
import type { Outcome } from './outcome.ts'

/** What this machine has, for one setting of `vulkan.preferred_device`. */
export function vulkanReport(outcome: Outcome, preferred: string): VulkanReport {
  // What ended a probe would end ffmpeg as well, whichever device it is to use.
  const choice = isDeadly(outcome.problem)
    ? { index: null, is_named: false, problem: null }
    : chooseDevice(outcome.devices, preferred)
  const devices = outcome.devices.map((facts) =>
    judged(facts, facts.index === choice.index && choice.is_named, outcome),
  )
  const chosen = devices.find(({ index }) => index === choice.index)
  return {
    supported: chosen !== undefined,
    device: chosen ? identity(chosen) : null,
    api_version: chosen?.api_version ?? '',
    supported_extensions: chosen?.supported_extensions ?? [],
    can_encode: chosen?.can_encode ?? false,
    can_decode: chosen?.can_decode ?? false,
    max_width: chosen?.max_width ?? 0,
    max_height: chosen?.max_height ?? 0,
    preferred_format: chosen?.preferred_format ?? '',
    devices,
    default_device: chosen?.name ?? '',
    problem: outcome.problem ?? choice.problem,
    loader: outcome.loader,
    layers: outcome.layers,
    drivers: outcome.drivers,
    loader_messages: outcome.loader_messages,
    validation: outcome.validation,
  }
}

function judged(facts: DeviceFacts, isNamed: boolean, outcome: Outcome): VulkanDevice {
  const encodes = facts.video.filter((claim) => claim.claimed && claim.operation === 'encode')
  const decodes = facts.video.filter((claim) => claim.claimed && claim.operation === 'decode')
  const largest = largestOf(encodes.length > 0 ? encodes : decodes)
  return {
    ...facts,
    available: !isDeadly(outcome.problem) && (facts.type !== 'cpu' || isNamed),
    can_encode: encodes.length > 0,
    can_decode: decodes.length > 0,
    max_width: largest?.max_width ?? 0,
    max_height: largest?.max_height ?? 0,
    // In the order that the claims come in: the codec that most can play first.
    preferred_format: encodes[0]?.codec ?? '',
  }
}

function largestOf(claims: readonly VideoClaim[]): VideoClaim | undefined {
  return claims.toSorted((a, b) => b.max_width * b.max_height - a.max_width * a.max_height)[0]
}

function identity(device: VulkanDevice): VulkanReport['device'] {
  const { index, name, type, device_id, vendor_id, driver_version, available, uuid } = device
  return { index, name, type, device_id, vendor_id, driver_version, available, uuid }
}
