import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cached } from './cache.mjs'
import { codename, withPackages } from './debian.mjs'
import { gatherLibraries } from './libraries.mjs'
import { Failure, say } from './process.mjs'

/** Part of the cache's name: to be raised with every change of what is put into it. */
const revision = 1
const loader = 'libvulkan.so.1'
const lavapipe = 'libvulkan_lvp.so'
/**
 * Used as the machine has them. What apt and dpkg are linked to is on every machine, and the C library in particular must
 * be the machine's own; python3 is for scripts that come with the drivers.
 */
const present = (
  'dpkg tar libc6 libcrypt1 libgcc-s1 gcc-*-base libstdc++6 zlib1g libzstd1 liblzma5 libbz2-1.0 libmd0 libselinux1 ' +
  'libpcre2-8-0 libacl1 libtinfo6 python3'
).split(' ')

/** Debian 12's own Mesa, 22.3, is too old for the encoders (VK_ERROR_UNKNOWN from ffv1_vulkan); the releases after it are not. */
const mesaSuites = { bookworm: ['bookworm-backports', 'bookworm'] }

/** The name of what `bringLavapipe` makes in our cache. */
export function lavapipeName() {
  return `vulkan-${revision}-${codename()}`
}

/**
 * Gives a folder with lib/, the Vulkan loader and lavapipe for the machine's own C library; lvp_icd.json, lavapipe's
 * manifest; and include/, the headers.
 */
export async function bringLavapipe() {
  return await cached(lavapipeName(), async (folder) => {
    say('fetching lavapipe, a Vulkan driver without a GPU, for the tests: about 70 MB, only this once')
    const suites = mesaSuites[codename()] ?? [codename()]
    const packages = ['mesa-vulkan-drivers', 'libvulkan1', 'libvulkan-dev']
    await withPackages(folder, { suites, packages, present }, (root) => {
      const all = join(folder, 'all')
      gatherLibraries(root, all)
      keepNeeded(all, join(folder, 'lib'))
      rmSync(all, { recursive: true })
      keepHeaders(join(root, 'usr', 'include'), join(folder, 'include'))
      writeManifest(join(folder, 'lvp_icd.json'))
    })
  })
}

/** Moves the loader, lavapipe and what it is linked to: all that the tests start sees this folder, so it holds no more. */
function keepNeeded(all, folder) {
  mkdirSync(folder)
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: all }
  const links = execFileSync('ldd', [join(all, lavapipe)], { env, encoding: 'utf8' })
  const missing = /^\s*(\S+) => not found/m.exec(links)?.[1]
  if (missing !== undefined) throw new Failure(`lavapipe lacks ${missing}`)
  const linked = [...links.matchAll(/^\s*(\S+) => (\S+) \(/gm)].filter(([, , path]) => dirname(path) === all)
  const names = new Set([loader, lavapipe, ...linked.map(([, name]) => name)])
  for (const name of names) renameSync(realpathSync(join(all, name)), join(folder, name))
}

function keepHeaders(all, folder) {
  mkdirSync(folder)
  for (const name of ['vulkan', 'vk_video']) renameSync(join(all, name), join(folder, name))
}

function writeManifest(path) {
  // The loader takes a path with a slash as relative to the manifest.
  const driver = { library_path: `./lib/${lavapipe}`, api_version: '1.3.0' }
  writeFileSync(path, JSON.stringify({ file_format_version: '1.0.0', ICD: driver }))
}
