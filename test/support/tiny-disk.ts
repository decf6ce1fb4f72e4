import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, statfsSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real file system of a few megabytes in memory; `using` takes it away before its folder is removed. */
export interface TinyDisk extends Disposable {
  path: string
  /** Takes all of it but so many bytes, rounded up to whole pages. */
  fill: (but_bytes?: number) => void
  /** Gives that back. */
  clear: () => void
  /** Lets nothing be written to it, or again everything. */
  remount: (access: 'ro' | 'rw') => void
}

/** Whether this machine lets us mount; a warning says what is not tested where it does not. */
export function lacksMounts(what: string): boolean {
  const path = mkdtempSync(join(tmpdir(), 'darkstream-mount-'))
  const isMounted = process.platform === 'linux' && mount(path, '1m')
  if (isMounted) unmount(path)
  else console.warn(`NOT TESTED, it takes root and the right to mount: ${what}`)
  rmdirSync(path)
  return !isMounted
}

/** Mounts a disk of a size such as `3m` at a path, which is made. */
export function mountTinyDisk(path: string, size: string): TinyDisk {
  mkdirSync(path, { recursive: true })
  if (!mount(path, size)) throw new Error(`cannot mount ${path}`)
  const filler = join(path, '.filler')
  return {
    path,
    fill(but_bytes = 0) {
      const { bsize } = statfsSync(path)
      const file = openSync(filler, 'a')
      const page = Buffer.alloc(bsize)
      try {
        while (statfsSync(path).bavail * bsize - bsize >= but_bytes) writeSync(file, page)
      } finally {
        closeSync(file)
      }
    },
    clear: () => truncateSync(filler, 0),
    remount(access) {
      const { success } = Bun.spawnSync(['mount', '-o', `remount,${access}`, path])
      if (!success) throw new Error(`cannot remount ${path} ${access}`)
    },
    [Symbol.dispose]: () => unmount(path),
  }
}

function mount(path: string, size: string): boolean {
  const argv = ['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]
  return Bun.which('mount') !== null && Bun.spawnSync(argv, { stderr: 'ignore' }).success
}

/** Lazily: what is still open on it must not keep it in the way of its folder's removal. */
function unmount(path: string): void {
  Bun.spawnSync(['umount', '-l', path])
}
