/** What `VK_LOADER_DEBUG` must hold so that a loader says which drivers it reads and what is wrong with them. */
export const loaderDebug = 'error,warn,driver'

/** What a loader wrote to standard error. */
export interface LoaderLog {
  /** Paths of the driver manifests that it read, in its order. */
  manifests: string[]
  /** Its errors, without what it puts before them. */
  errors: string[]
}

const mostErrors = 20

/**
 * Reads a loader's log. Nobody promises its wording, and no function gives what it tells: wording that changes costs a
 * name in a message, and no decision.
 */
export function readLoaderLog(lines: readonly string[]): LoaderLog {
  // `ERROR | DRIVER:   text` up to 1.3.2xx, `[Vulkan Loader] ERROR | DRIVER: text` since.
  const found = (pattern: RegExp) => [...new Set(lines.flatMap((line) => pattern.exec(line)?.[1]?.trim() ?? []))]
  return {
    manifests: found(/^(?:\[Vulkan Loader\] )?[A-Z |]*DRIVER[A-Z |]*:\s+Found ICD manifest file (.+), version /),
    errors: found(/^(?:\[Vulkan Loader\] )?ERROR[A-Z |]*:\s+(.+)$/).slice(0, mostErrors),
  }
}
