import { expect, test } from 'bun:test'
import type { ProbeEvent } from '../../src/contract/vulkan.ts'
import { eventLine, readEvents } from '../../src/vulkan/events.ts'
import { readLoaderLog } from '../../src/vulkan/loader-log.ts'
import { type ProbeChild, readOutcome } from '../../src/vulkan/outcome.ts'
import { facts } from './samples.ts'

const loader: ProbeEvent = { kind: 'loader', loader: { library: 'libvulkan.so.1', version: '1.3.239' }, layers: [] }
const step: ProbeEvent = { kind: 'step', step: 'the devices were listed' }
const device: ProbeEvent = { kind: 'device', device: facts() }
const end: ProbeEvent = { kind: 'end' }

function child(events: ProbeEvent[], more: Partial<ProbeChild> = {}): ProbeChild {
  const stdout = events.map((event) => eventLine(event)).join('')
  return { exit_code: 0, signal: null, killed_for: null, stdout, error_lines: [], timeout_ms: 15_000, ...more }
}

test('a probe that came to its end tells its devices', () => {
  const outcome = readOutcome(child([loader, step, device, end]))
  expect(outcome).toMatchObject({ loader: { version: '1.3.239' }, devices: [facts()], problem: null, validation: null })
})

const early = 'while the devices were listed'
test.each([
  ['a signal', { exit_code: null, signal: 'SIGSEGV' }, 'crashed', `a Vulkan driver crashed (SIGSEGV) ${early}`],
  ['an access violation', { exit_code: 0xc0000005 }, 'crashed', `a Vulkan driver crashed (0xc0000005) ${early}`],
  [
    'our time limit',
    { exit_code: null, signal: 'SIGKILL', killed_for: 'timeout' },
    'hung',
    `a Vulkan driver hung ${early}; it was ended after 15 s`,
  ],
  [
    'a fault of our own',
    { exit_code: 1, error_lines: ['TypeError: no', ''] },
    'failed',
    `the Vulkan probe ended with exit code 1 ${early}: TypeError: no`,
  ],
])('a probe that %s ended early keeps what it told, and says why', (_, ending, code, message) => {
  const outcome = readOutcome(child([loader, device, step], ending))
  expect(outcome.problem as unknown).toEqual({ code, message })
  expect(outcome.devices).toHaveLength(1)
})

test('one that crashed after its end has told all', () => {
  expect(readOutcome(child([device, end], { exit_code: null, signal: 'SIGSEGV' })).problem).toBeNull()
})

test('no device is a problem of its own', () => {
  expect(readOutcome(child([loader, end])).problem?.code).toBe('no_device')
})

test("the loader's reasons are told in place of its code", () => {
  const problem = { code: 'no_driver', message: 'install something' } as const
  const errors = [
    'ERROR:            /tmp/nolib.so: cannot open shared object file: No such file or directory',
    'ERROR | DRIVER:   vkCreateInstance: Found no drivers!',
  ]
  const told = (error_lines: string[]) =>
    readOutcome(child([{ kind: 'problem', problem }, end], { error_lines })).problem
  expect(told([])).toEqual(problem)
  expect(told(errors)?.message).toBe(
    'the Vulkan loader could load no driver; the loader says: /tmp/nolib.so: cannot open shared object file: No such file or directory',
  )
})

test('a line that was cut off by a crash, and one that is not ours, are left out', () => {
  const stdout = `${eventLine(step)}noise\n${eventLine(device).slice(0, 60)}`
  expect(readEvents(stdout)).toEqual({ events: [step], other_lines: ['noise'] })
  expect(readEvents(`unfinished${eventLine(end)}`).events).toEqual([end])
})

test("the validation layer's messages are kept apart, in both of its formats", () => {
  const old = 'VUID-x-1(ERROR / SPEC): msgNum: 1 - Validation Error: [ VUID-x-1 ] Object 0: wrong'
  const stdout = [
    eventLine({ kind: 'validation', enabled: true, reason: null }),
    `${old}\n    Objects: 1\n        [0] 0x1, type: 1, name: NULL\n`,
    'Validation Error: [ VUID-y ] | MessageID = 0xc495fcb4\nvkDoThat(): not so.\nObjects: 1\n',
    eventLine(end),
  ].join('')
  expect(readOutcome(child([], { stdout })).validation).toEqual({
    enabled: true,
    reason: null,
    messages: [
      `${old}\n    Objects: 1\n        [0] 0x1, type: 1, name: NULL`,
      'Validation Error: [ VUID-y ] | MessageID = 0xc495fcb4\nvkDoThat(): not so.\nObjects: 1',
    ],
  })
})

test('the logs of an old and of a new loader name the drivers that they read', () => {
  const old = [
    'DRIVER:           Found ICD manifest file /usr/share/vulkan/icd.d/lvp_icd.x86_64.json, version "1.0.0"',
    'DEBUG | DRIVER:   Searching for ICD drivers named /usr/lib/x86_64-linux-gnu/libvulkan_lvp.so',
    'ERROR:            loader_get_json: Failed to parse JSON file /tmp/bad.json, this is usually because ...',
  ]
  expect(readLoaderLog(old)).toEqual({
    manifests: ['/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'],
    errors: ['loader_get_json: Failed to parse JSON file /tmp/bad.json, this is usually because ...'],
  })
  const recent = [
    '[Vulkan Loader] DRIVER:         Found ICD manifest file /tmp/a b.json, version 1.0.1',
    '[Vulkan Loader] DRIVER:         Found ICD manifest file /tmp/a b.json, version 1.0.1',
    '[Vulkan Loader] ERROR | DRIVER: loader_icd_scan: Failed loading library',
    '[Vulkan Loader] WARNING:        something',
  ]
  expect(readLoaderLog(recent)).toEqual({
    manifests: ['/tmp/a b.json'],
    errors: ['loader_icd_scan: Failed loading library'],
  })
})
