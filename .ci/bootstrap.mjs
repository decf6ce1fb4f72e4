// Runs one of our scripts with Bun on a machine that may have nothing but Node and npm:
// `node .ci/bootstrap.mjs SCRIPT.ts [args]`. It first brings what is missing, and says so; the exit code is the script's.
// No dependencies, Node 18 or newer, or Bun in Node's place.

import { delimiter, join } from 'node:path'
import { bringFfmpeg } from './bootstrap/ffmpeg.mjs'
import { bringPackages } from './bootstrap/packages.mjs'
import { Failure, root, run } from './bootstrap/process.mjs'
import { bringVulkan } from './bootstrap/vulkan.mjs'

/** The one script that wants more than a user's machine has. */
const tests = '.ci/test.ts'
const [script, ...args] = process.argv.slice(2)
try {
  process.exitCode = await start()
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`darkstream: ${error.message}`)
  process.exitCode = 1
}

async function start() {
  if (script === undefined) throw new Failure('which script? node .ci/bootstrap.mjs SCRIPT.ts [args]')
  await bringFfmpeg()
  const bun = await bringPackages()
  const vulkan = script === tests ? await bringVulkan() : {}
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  return await run(bun, [script, ...args], { env: { ...process.env, ...vulkan, PATH: path } })
}
