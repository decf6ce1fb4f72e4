import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { libraryNames, openVulkan } from '../../src/vulkan/library.ts'

const drivers = join(import.meta.dir, '..', 'vulkan', 'drivers')

/** What this machine has for tests of Vulkan. What it lacks is said once, and the tests that need it count as skipped. */
export const has = {
  compiler: Bun.which('cc') !== null,
  headers: Bun.which('cc') !== null && compiles('#include <vulkan/vk_icd.h>\n#include <vulkan/vulkan.h>\n'),
  loader: opens(),
  lavapipe: lavapipe() !== undefined,
  ffmpeg_vulkan: encodesWithVulkan(),
}

const remedies = {
  compiler: 'no cc: apt-get install gcc libc6-dev',
  headers: 'no Vulkan headers: apt-get install libvulkan-dev, or CPATH with them',
  loader: 'no libvulkan: apt-get install libvulkan1',
  lavapipe: 'no lavapipe: apt-get install mesa-vulkan-drivers',
  ffmpeg_vulkan:
    'no FFmpeg with ffv1_vulkan: run by npm test, or DARKSTREAM_TEST_FFMPEG with the path of one (8.0 or newer)',
}

/** Whether one of these is missing; says so. */
export function lacks(...needs: (keyof typeof has)[]): boolean {
  const missing = needs.filter((need) => !has[need])
  for (const need of missing) console.warn(`SKIPPED, ${remedies[need]}`)
  return missing.length > 0
}

/** The manifest of Mesa's driver that computes on the processor; undefined when it is not installed. */
export function lavapipe(): string | undefined {
  const named = (process.env['VK_DRIVER_FILES'] ?? '').split(':').filter((path) => /lvp_icd[^/]*\.json$/.test(path))
  const folder = '/usr/share/vulkan/icd.d'
  const installed = existsSync(folder) ? [...new Glob('lvp_icd*.json').scanSync(folder)] : []
  return [...named, ...installed.map((name) => join(folder, name))][0]
}

/** An ffmpeg that can encode with Vulkan, ffprobe beside it; undefined when there is none. It may differ from the PATH's. */
export function vulkanFfmpeg(): string | undefined {
  return process.env['DARKSTREAM_TEST_FFMPEG'] || undefined
}

/** What a program that a test starts with an environment of its own needs in it to find the loader and the driver. */
export function vulkanEnvironment(): Record<string, string> {
  const names = ['LD_LIBRARY_PATH', 'VK_DRIVER_FILES']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

/** Compiles one of our own drivers into a folder; its manifest. */
export function buildDriver(folder: string, name: string, source: 'broken.c' | 'gpu.c', flags: string[] = []): string {
  const library = join(folder, `${name}.so`)
  const cc = Bun.spawnSync(['cc', '-shared', '-fPIC', '-o', library, ...flags, join(drivers, source)])
  if (!cc.success) throw new Error(cc.stderr.toString())
  const manifest = join(folder, `${name}.json`)
  const driver = { file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }
  writeFileSync(manifest, JSON.stringify(driver))
  return manifest
}

/** Compiles a C program and gives what it prints. */
export function runC(folder: string, text: string): string {
  const source = join(folder, 'program.c')
  writeFileSync(source, text)
  const cc = Bun.spawnSync(['cc', '-o', join(folder, 'program'), source])
  if (!cc.success) throw new Error(cc.stderr.toString())
  return Bun.spawnSync([join(folder, 'program')]).stdout.toString()
}

function compiles(text: string): boolean {
  return Bun.spawnSync(['cc', '-fsyntax-only', '-x', 'c', '-'], { stdin: Buffer.from(text), stderr: 'ignore' }).success
}

function encodesWithVulkan(): boolean {
  const path = vulkanFfmpeg()
  if (path === undefined || !existsSync(path)) return false
  return Bun.spawnSync([path, '-hide_banner', '-encoders']).stdout.includes(' ffv1_vulkan ')
}

function opens(): boolean {
  try {
    openVulkan(libraryNames(process.platform))
    return true
  } catch {
    return false
  }
}
