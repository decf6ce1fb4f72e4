import { writeSync } from 'node:fs'
import { platform } from 'node:os'
import type { ProbeEvent } from '../contract/vulkan.ts'
import { eventLine } from '../vulkan/events.ts'
import { libraryNames, NoLibraryError, openVulkan, type VulkanLibrary } from '../vulkan/library.ts'
import { probeVulkan } from '../vulkan/probe.ts'
import type { CommandArgs } from './usage.ts'

/**
 * The child of `askVulkan`: asks the drivers in this very process, and writes what they say. A crash ends it, and leaves
 * what was written.
 */
export function run(args: CommandArgs): Promise<number> {
  const library = opened()
  if (library) probeVulkan({ library, platform: platform(), validate: args.flag('validate'), tell })
  return Promise.resolve(0)
}

function opened(): VulkanLibrary | undefined {
  const names = libraryNames(platform())
  try {
    return openVulkan(names)
  } catch (error) {
    if (!(error instanceof NoLibraryError)) throw error
    const message = `there is no Vulkan loader (${names[0]}): ${remedy()}; the system says: ${error.message}`
    tell({ kind: 'problem', problem: { code: 'no_loader', message } })
    tell({ kind: 'end' })
    return undefined
  }
}

function remedy(): string {
  if (platform() === 'win32') return "install the GPU's driver"
  if (platform() === 'darwin') return 'install MoltenVK (brew install molten-vk vulkan-loader)'
  return 'install libvulkan1 (apt-get install libvulkan1; vulkan-loader elsewhere)'
}

/** At once and whole: what process.stdout still held would be lost in a crash. */
function tell(event: ProbeEvent): void {
  const bytes = new TextEncoder().encode(eventLine(event))
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
}
