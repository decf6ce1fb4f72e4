import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const triplet = 'x86_64-linux-gnu'

/** Moves the libraries of an unpacked root into one folder. Older releases have some of them outside usr/. */
export function gatherLibraries(root, folder) {
  mkdirSync(folder)
  // BLAS and LAPACK are found by links that only an installation makes.
  const places = ['', 'blas', 'lapack', 'pulseaudio'].flatMap((name) => [
    join(root, 'lib', triplet, name),
    join(root, 'usr', 'lib', triplet, name),
  ])
  for (const place of places.filter((path) => existsSync(path))) {
    const names = readdirSync(place).filter((name) => /\.so(\.|$)/.test(name))
    for (const name of names) renameSync(join(place, name), join(folder, name))
  }
}
