import { mkdirSync, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Resolves once a file, which need not be there yet, has so many bytes. */
export function whenIn(path: string, bytes: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  return new Promise((resolve) => {
    const watching = watch(dirname(path), look)
    // Bun's watching may begin only after that line (1.4.5), and tells nothing of what came before.
    const looking = setInterval(look, 50)

    function look(): void {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < bytes) return
      clearInterval(looking)
      watching.close()
      resolve()
    }
  })
}
