import { expect, test } from 'bun:test'
import { chooseDevice } from '../../src/vulkan/choose.ts'
import { facts } from './samples.ts'

const devices = [
  facts({ index: 0, name: 'llvmpipe (LLVM 15.0.6, 256 bits)', type: 'cpu' }),
  facts({ index: 1, name: 'Intel(R) UHD Graphics 770', type: 'integrated' }),
  facts({ index: 2, name: 'NVIDIA GeForce RTX 3080', type: 'discrete' }),
  facts({ index: 3, name: 'NVIDIA GeForce RTX 3080 Ti', type: 'discrete' }),
]

test.each([
  ['auto', 2],
  ['NVIDIA GeForce RTX 3080 Ti', 3],
  ['nvidia geforce rtx 3080', 2],
  ['uhd', 1],
  ['3', 3],
  ['llvmpipe', 0],
  ['AUTO', 2],
])('the setting %s means device %d', (preferred, index) => {
  expect(chooseDevice(devices, preferred)).toMatchObject({ index, problem: null })
})

test('auto takes a discrete one before an integrated one before a virtual one, and never a processor', () => {
  const virtual = facts({ index: 4, type: 'virtual' })
  expect(chooseDevice([virtual, ...devices.slice(0, 2)], 'auto').index).toBe(1)
  expect(chooseDevice([virtual, ...devices.slice(0, 1)], 'auto').index).toBe(4)
  const { index, problem } = chooseDevice(devices.slice(0, 1), 'auto')
  expect(index).toBeNull()
  expect(problem).toMatchObject({ code: 'only_cpu', message: expect.stringContaining('llvmpipe') })
})

test('a name that no device has is told with those that there are', () => {
  for (const preferred of ['Radeon', '7']) {
    const { index, problem } = chooseDevice(devices, preferred)
    expect(index).toBeNull()
    expect(problem?.code).toBe('no_match')
    expect(problem?.message).toContain(`is "${preferred}"`)
    expect(problem?.message).toContain('1: Intel(R) UHD Graphics 770, 2: NVIDIA')
  }
  expect(chooseDevice([], 'Radeon')).toEqual({ index: null, is_named: false, problem: null })
})
