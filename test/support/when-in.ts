import { type Stats, statSync, unwatchFile, watchFile } from 'node:fs'

/** Milliseconds between two looks: `watch` of Bun 1.4.5 may begin late, and leaves out a change that comes just after another. */
const interval = 10

/** Resolves once a file, which need not be there yet, has so many bytes. */
export function whenIn(path: string, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    watchFile(path, { interval }, look)
    look(statSync(path, { throwIfNoEntry: false }))

    function look(found: Stats | undefined): void {
      if ((found?.size ?? 0) < bytes) return
      unwatchFile(path, look)
      resolve()
    }
  })
}
