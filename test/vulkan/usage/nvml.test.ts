import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { nvmlNames, openNvml } from '../../../src/vulkan/usage/nvml.ts'
import { unknownUsage } from '../../../src/vulkan/usage/values.ts'
import { temporaryFolder } from '../../support/program.ts'
import { lacks } from '../../support/vulkan.ts'
import { buildNvml } from './build-nvml.ts'

const open = (...flags: string[]) => openNvml([buildNvml(temporaryFolder(), ...flags)])

describe.skipIf(lacks('compiler'))('with a library as NVIDIA has it', () => {
  test('what it says is read as C wrote it', () => {
    expect(open()?.usage('0000:01:00.0')).toEqual({
      usage: 87,
      encoder_usage: 12,
      decoder_usage: 0,
      memory_usage: 12.5,
    })
  })

  test('a GPU that it does not know has no reading', () => {
    expect(open()?.usage('0000:02:00.0')).toEqual(unknownUsage)
  })

  test('a call that the GPU does not support is no reading, whatever it wrote', () => {
    expect(open('-DUNSUPPORTED')?.usage('0000:01:00.0')).toEqual(unknownUsage)
  })

  test('what cannot be is no reading', () => {
    expect(open('-DODD')?.usage('0000:01:00.0')).toEqual({ ...unknownUsage, decoder_usage: 0 })
  })

  test('one that does not initialise, or lacks a function, is none', () => {
    expect(open('-DNO_DRIVER')).toBeUndefined()
    expect(open('-DPOOR')).toBeUndefined()
  })

  test('the first that can be used is taken, and none from the current folder', () => {
    const folder = temporaryFolder()
    const library = buildNvml(folder)
    copyFileSync(library, join(folder, 'libdarkstream-nvml.so'))
    const before = process.cwd()
    process.chdir(folder)
    try {
      expect(openNvml(['libdarkstream-nvml.so'])).toBeUndefined()
      expect(openNvml(['libdarkstream-nvml.so', library])?.usage('0000:01:00.0').usage).toBe(87)
      expect(process.cwd()).toBe(folder)
    } finally {
      process.chdir(before)
    }
  })
})

test('NVML has a name where NVIDIA has a driver', () => {
  expect(['linux', 'win32', 'darwin'].map(nvmlNames)).toEqual([['libnvidia-ml.so.1'], ['nvml.dll'], []])
  expect(openNvml([])).toBeUndefined()
})
