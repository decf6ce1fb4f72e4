import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, cachePath } from './cache.mjs'
import { firstThatWorks, withPackages } from './debian.mjs'
import { lavapipeName } from './lavapipe.mjs'
import { gatherLibraries } from './libraries.mjs'
import { say } from './process.mjs'

/** Part of the cache's name: to be raised with every change of what is put into it. */
const revision = 1
/** Releases of Debian whose FFmpeg encodes with Vulkan in compute shaders, which lavapipe can run. */
const suites = ['forky', 'sid']

/**
 * Gives a folder with bin/ffmpeg and bin/ffprobe, which run beside the system's with libraries of their own, C library
 * included, and use what `bringLavapipe` made.
 */
export async function bringNewerFfmpeg() {
  const made = suites.filter((suite) => existsSync(cachePath(nameFor(suite))))
  return await firstThatWorks(
    [...made, ...suites],
    async (suite) => await cached(nameFor(suite), (folder) => make(folder, suite)),
  )
}

function nameFor(suite) {
  return `ffmpeg-${revision}-${suite}-${lavapipeName()}`
}

async function make(folder, suite) {
  say(`fetching FFmpeg of Debian ${suite}, with encoders on Vulkan, for the tests: about 110 MB, only this once`)
  await withPackages(folder, { suites: [suite], packages: ['ffmpeg'] }, (root) => {
    gatherLibraries(root, join(folder, 'lib'))
    for (const part of ['bin', 'programs']) mkdirSync(join(folder, part))
    for (const program of ['ffmpeg', 'ffprobe']) {
      renameSync(join(root, 'usr', 'bin', program), join(folder, 'programs', program))
      writeWrapper(join(folder, 'bin', program), program)
    }
  })
}

/**
 * The program starts through its own ld.so, whatever PATH is and whatever link leads here. It uses the same
 * lavapipe as the tests, unless the caller names another driver.
 */
function writeWrapper(path, program) {
  const script = `#!/bin/sh
self=$(/usr/bin/readlink -f "$0")
here=\${self%/bin/*}
driver=\${here%/*}/${lavapipeName()}
: "\${VK_DRIVER_FILES=$driver/lvp_icd.json}"
export VK_DRIVER_FILES
exec "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib:$driver/lib" "$here/programs/${program}" "$@"
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}
