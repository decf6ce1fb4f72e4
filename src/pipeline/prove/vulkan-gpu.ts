import type { Gpu } from '../../contract/gpu.ts'
import type { VulkanDevice } from '../../contract/vulkan.ts'
import { countDecodeSlots, tryDecode } from './decode-trial.ts'
import { tryEncode } from './encode-trial.ts'
import { type FfmpegLists, listGpus } from './ffmpeg-lists.ts'
import { tryScale } from './filter-trial.ts'
import type { ProofClip, ProofClips } from './proof-clips.ts'
import { type VulkanSubject, vulkanSubjects } from './subjects.ts'
import type { TrialSetting } from './trial.ts'
import { capability, type GpuProof } from './trial-plan.ts'
import { tryToneMapping } from './tone-map-trial.ts'
import { tooOldToDecode, tooOldToFilter, whyMissing } from './versions.ts'

/** What the proof of one Vulkan device needs beside the device. */
export interface VulkanProof {
  setting: TrialSetting
  lists: FfmpegLists
  clips: ProofClips
  /** FFmpeg's number of it, or why there is none. */
  number: number | { reason: string }
  /** Conversions that shall run side by side. */
  concurrency: number
  /** Milliseconds without a frame after which decoding counts as hung. */
  stall_timeout_ms: number
}

/** Decodes at a time that are tried at most: a GPU has fewer engines. */
export const mostSlots = 8

/** Tries all that a device may be able to do, one thing after the other; what may hang comes last. */
export async function proveVulkanGpu(device: VulkanDevice, proof: VulkanProof): Promise<GpuProof> {
  const { setting, lists, number } = proof
  const gpu = vulkanGpu(device, typeof number === 'number' ? String(number) : '')
  const unreachable = typeof number === 'number' ? await whyUnreachable(proof, number) : number.reason
  const subjects = vulkanSubjects(device)
  const { version } = setting.tools
  let hasFailed = false
  const prove = async ({ subject, refusal }: VulkanSubject, lack: string | null, run: () => Promise<string | null>) => {
    const untried = refusal ?? lack
    const reason = untried ?? unreachable ?? (await run())
    if (untried === null && reason !== null) hasFailed = true
    gpu.capabilities.push(capability(subject, reason))
  }
  for (const each of subjects.encode) {
    const { by } = each.subject
    const lack = lists.encoders.has(by) ? null : whyMissing(version, by)
    await prove(each, lack, () => tryEncode(setting, gpu, each.subject))
  }
  for (const each of subjects.filter) {
    const { by, bit_depth } = each.subject
    const lack = lists.filters.has(by) ? tooOldToFilter(version, by) : whyMissing(version, by)
    await prove(each, lack, () =>
      by === 'libplacebo' ? tryToneMapping(setting, gpu) : tryScale(setting, gpu, bit_depth),
    )
  }
  const decoded: ProofClip[] = []
  for (const each of subjects.decode) {
    const { codec, bit_depth } = each.subject
    await prove(each, tooOldToDecode(version, codec), async () => {
      const clip = await proof.clips(codec, bit_depth)
      if (typeof clip === 'string') return clip
      const reason = await tryDecode(setting, gpu, clip, { ...proof, loops: 0 })
      if (reason === null) decoded.push(clip)
      return reason
    })
  }
  const most = Math.min(mostSlots, proof.concurrency)
  const decode_slots = await countDecodeSlots(setting, gpu, { ...proof, clips: decoded, most })
  const isLimited = decoded.length > 0 && decode_slots < most
  return { gpu: { ...gpu, decode_slots }, has_failed: hasFailed || isLimited }
}

/** A device whose every capability failed for one reason. */
export function unprovedVulkanGpu(device: VulkanDevice, reason: string): Gpu {
  const { encode, filter, decode } = vulkanSubjects(device)
  const all: VulkanSubject[] = [...encode, ...filter, ...decode]
  const capabilities = all.map(({ subject, refusal }) => capability(subject, refusal ?? reason))
  return { ...vulkanGpu(device, ''), capabilities }
}

function vulkanGpu(device: VulkanDevice, selector: string): Gpu {
  const { name, type, driver_version, pci_address, vendor_id } = device
  const known = { name, type, driver_version, pci_address, vendor_id, capabilities: [], decode_slots: 0 }
  return { id: `vulkan:${device.index}`, api: 'vulkan', selector, ...known }
}

/** FFmpeg must open the device that is meant, not only one of that number. */
async function whyUnreachable({ setting }: VulkanProof, number: number): Promise<string | null> {
  const { reason, selected } = await listGpus(setting, number)
  if (reason !== null) return `this ffmpeg cannot open it: ${reason}`
  return selected === number ? null : `this ffmpeg opens device ${selected ?? 'of no number'} instead of ${number}`
}
