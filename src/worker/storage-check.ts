import { readdir } from 'node:fs/promises'

/**
 * Why a worker cannot reach the shared storage, a sentence; undefined when it can, or when no mount path is configured.
 * A mount point with nothing mounted on it is an empty folder.
 */
export async function whyUnmounted(mount_path: string | null): Promise<string | undefined> {
  if (mount_path === null) return undefined
  return readdir(mount_path).then(
    (names) => (names.length > 0 ? undefined : `storage.mount_path ${mount_path} is empty: is the storage mounted?`),
    (error: NodeJS.ErrnoException) => `storage.mount_path ${mount_path} cannot be read: ${error.code ?? error.message}`,
  )
}
