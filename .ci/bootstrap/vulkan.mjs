import { join } from 'node:path'
import { Stopped, whyNoPackages } from './debian.mjs'
import { bringLavapipe } from './lavapipe.mjs'
import { bringNewerFfmpeg } from './newer-ffmpeg.mjs'
import { say } from './process.mjs'

/**
 * Gives the environment for tests of Vulkan on a machine without a GPU: Mesa's driver that computes on the processor,
 * the headers, and an FFmpeg new enough to encode with them. They are Debian's packages, unpacked into our cache; the
 * system stays as it is. Where that cannot be done the tests that need it are skipped, so it says why and gives less.
 */
export async function bringVulkan() {
  if (process.env.VK_DRIVER_FILES !== undefined && process.env.DARKSTREAM_TEST_FFMPEG !== undefined) return {}
  const without = 'tests with Vulkan use only what this machine has'
  const reason = whyNoPackages()
  if (reason !== undefined) {
    say(`${without}, since ${reason}`)
    return {}
  }
  const driver = await attempt(bringLavapipe, without)
  if (driver === undefined) return {}
  const ffmpeg = await attempt(bringNewerFfmpeg, 'tests with a newer FFmpeg are skipped')
  return environment(driver, ffmpeg)
}

/** The caller's own settings stay, and come first where a variable is a list. */
function environment(driver, ffmpeg) {
  const { LD_LIBRARY_PATH, CPATH, VK_DRIVER_FILES, DARKSTREAM_TEST_FFMPEG } = process.env
  const newer = DARKSTREAM_TEST_FFMPEG ?? (ffmpeg && join(ffmpeg, 'bin', 'ffmpeg'))
  return {
    LD_LIBRARY_PATH: list(LD_LIBRARY_PATH, join(driver, 'lib')),
    CPATH: list(CPATH, join(driver, 'include')),
    VK_DRIVER_FILES: VK_DRIVER_FILES ?? join(driver, 'lvp_icd.json'),
    ...(newer === undefined ? {} : { DARKSTREAM_TEST_FFMPEG: newer }),
  }
}

function list(before, path) {
  return before ? `${before}:${path}` : path
}

/** What `bring` gives; undefined, and a line that says why, where it fails. */
async function attempt(bring, otherwise) {
  try {
    return await bring()
  } catch (error) {
    if (error instanceof Stopped) throw error
    say(`${otherwise}: ${error.message}`)
    return undefined
  }
}
