import { expect, test } from 'bun:test'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ScannerOptions } from '../../../src/master/scan/options.ts'
import { playground } from './playground.ts'

/** A playground with a watching scanner whose first scan is over; only watching can find what comes later. */
async function watchedPlayground(options: Partial<ScannerOptions> = {}) {
  const ground = await playground()
  await ground.file('first.mp4')
  await ground.file('sub/deep/second.mp4')
  const scanner = ground.scanner({ watch: true, settle_time_ms: 30, ...options })
  scanner.start()
  await scanner.whenSettled()
  return Object.assign(ground, { watching: scanner })
}

test('a new file is found in any folder that is watched', async () => {
  await using ground = await watchedPlayground()
  const told = Promise.all(['new.mp4', 'sub/deep/new.mp4'].map((name) => ground.store.told(name)))
  await ground.file('new.mp4')
  await ground.file('sub/deep/new.mp4')
  await told
  expect(ground.watching.report().problems).toEqual([])
})

test('only what changed is looked at again', async () => {
  await using ground = await watchedPlayground()
  ground.store.sources.clear()
  const told = ground.store.told('sub/deep/second.mp4')
  await ground.file('sub/deep/second.mp4', { content: 'changed' })
  await told
  expect(ground.found()).toEqual(['sub/deep/second.mp4'])
})

test('a new folder is read with all that is in it, and watched from then on', async () => {
  await using ground = await watchedPlayground()
  const told = ground.store.told('new/folder/a.mp4')
  await ground.file('new/folder/a.mp4')
  await told
  const later = ground.store.told('new/folder/b.mp4')
  await ground.file('new/folder/b.mp4')
  await later
})

test('a folder that is moved in, or renamed, is found under its new name and watched there', async () => {
  await using ground = await watchedPlayground()
  const elsewhere = join(ground.base, 'elsewhere')
  await mkdir(join(elsewhere, 'season'), { recursive: true })
  await writeFile(join(elsewhere, 'season/a.mp4'), 'x')
  let told = ground.store.told('moved/season/a.mp4')
  await rename(elsewhere, join(ground.root, 'moved'))
  await told
  told = ground.store.told('sub/renamed/season/a.mp4')
  await rename(join(ground.root, 'moved'), join(ground.root, 'sub/renamed'))
  await told
  told = ground.store.told('sub/renamed/season/b.mp4')
  await ground.file('sub/renamed/season/b.mp4')
  await told
})

test('a folder that is removed and made again is watched again', async () => {
  await using ground = await watchedPlayground()
  for (const name of ['sub/deep/x.mp4', 'sub/deep/y.mp4']) {
    const told = ground.store.told(name)
    await rm(join(ground.root, 'sub/deep'), { recursive: true })
    await ground.file(name)
    await told
    const later = ground.store.told(`${name}.later.mp4`)
    await ground.file(`${name}.later.mp4`)
    await later
  }
})

test('a folder behind a link is watched too', async () => {
  await using ground = await watchedPlayground()
  const outside = join(ground.base, 'outside')
  await mkdir(outside)
  let told = ground.store.told('link/a.mp4')
  await writeFile(join(outside, 'a.mp4'), 'x')
  await symlink(outside, join(ground.root, 'link'))
  await told
  told = ground.store.told('link/b.mp4')
  await writeFile(join(outside, 'b.mp4'), 'x')
  await told
})

test('a download is found when it gets its final name, or when its companion goes', async () => {
  await using ground = await watchedPlayground()
  const told = Promise.all(['a.mp4', 'b.mp4'].map((name) => ground.store.told(name)))
  await ground.file('b.mp4.aria2')
  const part = await ground.file('a.mp4.part')
  await ground.file('b.mp4')
  const scanner = ground.watching
  await scanner.scan()
  expect(ground.found()).not.toContain('b.mp4')
  await rename(part, join(ground.root, 'a.mp4'))
  await rm(join(ground.root, 'b.mp4.aria2'))
  await told
})

test('neither outputs nor hidden work inside the root are looked at', async () => {
  await using ground = await playground()
  await ground.file('first.mp4')
  const scanner = ground.scanner({ watch: true, settle_time_ms: 30, output_base: join(ground.root, 'out') })
  scanner.start()
  await scanner.whenSettled()
  const told = ground.store.told('marker.mp4')
  await ground.file('out/a.mp4')
  await ground.file('.darkstream/b.mp4')
  await ground.file('marker.mp4')
  await told
  expect(ground.found()).toEqual(['first.mp4', 'marker.mp4'])
})

test('a root that vanishes is said, drops nothing, and is watched again when it is back', async () => {
  await using ground = await watchedPlayground()
  await rename(ground.root, `${ground.root}.away`)
  const told = ground.store.told('sub/deep/second.mp4')
  while (ground.watching.report().problems.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await rename(`${ground.root}.away`, ground.root)
  await told
  expect(ground.found()).toEqual(['first.mp4', 'sub/deep/second.mp4'])
  await ground.watching.scan()
  const later = ground.store.told('sub/deep/later.mp4')
  await ground.file('sub/deep/later.mp4')
  await later
})

/** Limits are a user namespace's own, so lowering them in a new one harms nobody; not every machine allows one. */
const canLimit = Bun.which('unshare') !== null && Bun.spawnSync(['unshare', '-Ur', 'true']).exitCode === 0

test.skipIf(!canLimit)('where the OS will not watch, one line says so and the interval remains', async () => {
  await using ground = await playground()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await ground.file(`${name}/x.mp4`)
  const script = `echo 3 > /proc/sys/user/max_inotify_watches && exec "$0" "$1" "$2"`
  const child = join(import.meta.dir, 'watch-child.ts')
  const run = Bun.spawnSync(['unshare', '-Ur', 'bash', '-c', script, process.execPath, child, ground.root])
  expect(run.stderr.toString().trim().split('\n')).toEqual([expect.stringContaining('max_user_watches is too low')])
  expect(run.stdout.toString()).toBe('6 files\n')
})
