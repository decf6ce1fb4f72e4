import { expect, test } from 'bun:test'
import { blame, manifestFault, suspects, withFaults } from '../../src/vulkan/blame.ts'
import { outcome } from './samples.ts'

const crashed = { code: 'crashed', message: 'a Vulkan driver crashed (SIGSEGV)' } as const
const [a, b] = ['/icd/a.json', '/icd/b.json']
const drivers = [a, b].map((manifest) => ({ manifest, problem: null }))

test('the only driver is the one that crashed', () => {
  const blamed = blame(outcome({ problem: crashed, drivers: drivers.slice(0, 1) }), [])
  expect(blamed.problem?.message).toBe(`${crashed.message}; the driver is ${a}: repair or remove it`)
})

test('of several it is the one that crashes alone, and the way around it is told', () => {
  const trials = [
    { manifest: a, problem: null },
    { manifest: b, problem: 'it crashed' },
  ]
  const blamed = blame(outcome({ problem: crashed, drivers }), trials)
  expect(blamed.problem?.message).toBe(
    `${crashed.message}; the driver is ${b}: repair or remove it, or set VK_DRIVER_FILES=${a}`,
  )
  expect(blamed.drivers).toEqual(trials)
})

test('nobody is named when none crashes alone, or nothing crashed', () => {
  expect(blame(outcome({ problem: crashed, drivers }), drivers).problem).toEqual(crashed)
  expect(blame(outcome({ drivers }), drivers).problem).toBeNull()
})

const exists = (path: string) => path === '/lib/good.so'
const manifest = (library_path: unknown) => JSON.stringify({ ICD: { library_path } })

test('a driver manifest is looked at: is it there, is it JSON, is its library there', () => {
  expect(manifestFault(null, exists)).toBe('it cannot be read')
  expect(manifestFault('garbage', exists)).toBe('it is not JSON')
  for (const text of ['null', '[]', '{}', manifest(7)]) {
    expect(manifestFault(text, exists)).toBe('it names no library (ICD.library_path)')
  }
  expect(manifestFault(manifest('/lib/gone.so'), exists)).toBe('its library /lib/gone.so is not there')
  expect(manifestFault(manifest('/lib/good.so'), exists)).toBeNull()
  expect(manifestFault(manifest('libvulkan_lvp.so'), exists)).toBeNull()
})

test('suspected are the manifests that a setting names or the loader complains of', () => {
  const complaining = outcome({ loader_messages: ['Failed to parse JSON file /etc/x.json, this is'] })
  expect(suspects({ VK_DRIVER_FILES: `${a}:${b}:/folder` }, complaining, 'linux')).toEqual([a, b, '/etc/x.json'])
  expect(suspects({ VK_ICD_FILENAMES: 'C:\\a.json;C:\\b.json' }, outcome(), 'win32')).toEqual([
    'C:\\a.json',
    'C:\\b.json',
  ])
  expect(suspects({}, outcome(), 'linux')).toEqual([])
})

test('a fault explains why no driver was loaded; where one was, it is only listed', () => {
  const faults = [{ manifest: a, problem: 'it is not JSON' }]
  const failed = { code: 'failed', message: 'vkCreateInstance failed: VK_ERROR_OUT_OF_HOST_MEMORY' } as const
  expect(withFaults(outcome({ problem: failed }), faults).problem).toEqual({
    code: 'no_driver',
    message: `the Vulkan loader could load no driver: the driver file ${a} is of no use: it is not JSON; repair or remove it`,
  })
  const working = withFaults(outcome({ drivers: drivers.slice(1) }), faults)
  expect(working.problem).toBeNull()
  expect(working.drivers).toEqual([...drivers.slice(1), ...faults])
  expect(withFaults(outcome({ problem: crashed }), faults).problem).toEqual(crashed)
})
