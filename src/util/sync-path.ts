import { open } from 'node:fs/promises'

/** Puts a file's content, or a folder's names, on the disk. Windows wants `r+` for a file, and opens no folders. */
export async function syncPath(path: string, flags: 'r' | 'r+' = 'r'): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
