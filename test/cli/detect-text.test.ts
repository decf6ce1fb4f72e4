import { expect, test } from 'bun:test'
import type { PathFigure } from '../../src/contract/gpu.ts'
import type { Detection } from '../../src/cli/detect.ts'
import { detectText } from '../../src/cli/detect-text.ts'
import type { Outcome } from '../../src/vulkan/outcome.ts'
import { vulkanReport } from '../../src/vulkan/report.ts'
import { gpu } from '../pipeline/samples.ts'
import { claim, facts, noClaim, outcome } from '../vulkan/samples.ts'
import { capability } from '../support/capability.ts'

function detection(probed: Partial<Outcome>, preferred = 'auto', more: Partial<Detection> = {}): Detection {
  return {
    os: 'Linux 6.1.0',
    architecture: 'x86_64',
    cpu: { model: 'AMD EPYC', cores: 16 },
    memory: 128e9,
    ffmpeg: { path: '/usr/bin/ffmpeg', version: '7.1.5' },
    problem: null,
    encoders: [{ codec: 'h264', encoder: 'libx264', ok: true, reason: null }],
    vulkan: vulkanReport(outcome(probed), preferred),
    vulkan_environment: {},
    gpus: [],
    gpu_problem: null,
    figures: [],
    ...more,
  }
}

/** The H200 as its driver 580.159.04 tells it. */
const h200 = facts({
  video: [
    claim('decode', 'h264'),
    claim('decode', 'hevc', { max_width: 8192, max_height: 8192 }),
    noClaim('decode', 'av1', 'the driver has no VK_KHR_video_decode_av1'),
    noClaim('decode', 'vp9', 'the driver has no VK_KHR_video_decode_vp9'),
    noClaim('encode', 'h264', 'the driver has no encode queue'),
    noClaim('encode', 'hevc', 'the driver has no encode queue'),
    noClaim('encode', 'av1', 'the driver has no encode queue'),
  ],
})

test('a GPU is shown with what its driver claims, and why it cannot do the rest', () => {
  const video = [noClaim('encode', 'h264', 'no Vulkan Video'), noClaim('decode', 'h264', 'no Vulkan Video')]
  const other = facts({ index: 1, name: 'llvmpipe', type: 'cpu', driver_name: '', driver_version: '0.0.1', video })
  const drivers = [{ manifest: '/icd/nvidia.json', problem: null }]
  expect(detectText(detection({ devices: [h200, other], drivers }))).toBe(`🖥️  GPU / Vulkan Detection

Vulkan Status: ✓ Available

Devices:
├─ NVIDIA H200
│  ├─ Type: Discrete
│  ├─ Driver: 580.159.04 (NVIDIA)
│  ├─ API: 1.4.312
│  ├─ Memory: 151 GB
│  ├─ Encoding: none: the driver has no encode queue
│  ├─ Decoding: H.264, H.265 (claimed by the driver: H.264 to 4096x4096, H.265 to 8192x8192; AV1: the driver has no VK_KHR_video_decode_av1; VP9: the driver has no VK_KHR_video_decode_vp9)
│  └─ Use: the default device
└─ llvmpipe
   ├─ Type: CPU
   ├─ Driver: 0.0.1
   ├─ API: 1.4.312
   ├─ Memory: 151 GB
   ├─ Encoding: none: no Vulkan Video
   ├─ Decoding: none: no Vulkan Video
   └─ Use: no

CPU encoders (each by a test encode):
└─ ✓ h264 by libx264

Environment:
├─ OS: Linux 6.1.0
├─ Architecture: x86_64
├─ CPU: AMD EPYC, 16 cores
├─ Memory: 128 GB
├─ FFmpeg: 7.1.5 (/usr/bin/ffmpeg)
├─ Vulkan SDK: 1.3.239 (loader libvulkan.so.1)
├─ Vulkan layers: none
└─ Vulkan driver: /icd/nvidia.json
`)
})

test('without a device the reason stands in the status, and what was found wrong below', () => {
  const text = detectText(
    detection({
      loader: null,
      problem: { code: 'no_loader', message: 'there is no Vulkan loader' },
      loader_messages: ['one', 'two\u001B[31m'],
      drivers: [{ manifest: '/icd/a.json', problem: 'it is not JSON' }],
    }),
  )
  expect(text).toContain('Vulkan Status: ✗ there is no Vulkan loader\n\nDevices:\n└─ none\n')
  expect(text).toContain('Vulkan drivers at fault:\n└─ /icd/a.json: it is not JSON\n')
  expect(text).toContain('Vulkan loader errors:\n├─ one\n└─ two\\u001b[31m\n')
  expect(text).toContain('├─ Vulkan SDK: none\n')
})

function shown(validation: Outcome['validation']): string {
  return detectText(detection({ devices: [h200], validation }))
}

test('what the validation layer said is shown, and when it was not there', () => {
  expect(shown(null)).not.toContain('Validation')
  expect(shown({ enabled: true, reason: null, messages: [] })).toContain('Validation:\n└─ on, no messages\n')
  expect(shown({ enabled: true, reason: null, messages: ['Error: [ X ]\n  not so'] })).toContain(
    'Validation:\n├─ on, 1 message\n└─ Error: [ X ] not so\n',
  )
  expect(shown({ enabled: false, reason: 'not here', messages: [] })).toContain('Validation:\n└─ off: not here\n')
})

test('a setting that no device fits is the reason, and the devices are shown', () => {
  const text = detectText(detection({ devices: [h200] }, 'Radeon'))
  expect(text).toContain('Vulkan Status: ✗ vulkan.preferred_device is "Radeon"')
  expect(text).toContain('└─ NVIDIA H200\n')
})

test('what was tried stands in the place of what the driver claims, and what was measured below', () => {
  const card = gpu({
    name: 'NVIDIA H200',
    pci_address: null,
    capabilities: [capability({ operation: 'decode', by: 'vulkan' })],
  })
  const nvenc = gpu({
    id: 'nvenc',
    api: 'nvenc',
    name: 'NVIDIA H200',
    capabilities: [capability({ proved: false, reason: 'no engine' })],
    decode_slots: 0,
  })
  const measured: PathFigure = {
    decode: 'vulkan',
    filter: 'cpu',
    encoder: 'libx264',
    device: 'NVIDIA H200',
    gpu_id: 'vulkan:0',
    source_codec: 'h264',
    bit_depth: 8,
    size_class: 'hd',
    codec: 'h264',
    processes: 1,
    fps: 512,
    start_ms: 900,
    cpu_ms_per_frame: 12.5,
    reason: null,
  }
  const text = detectText(detection({ devices: [h200] }, 'auto', { gpus: [card, nvenc], figures: [measured] }))
  expect(text).toContain(
    '│  ├─ Decoding: H.264 (proved: H.264 8 bit)\n│  ├─ Decodes side by side: 1\n│  └─ Use: the default device\n',
  )
  expect(text).toContain('└─ NVIDIA H200 by NVENC\n   └─ Encoding: none: no engine\n')
  expect(text).not.toContain('claimed')
  expect(text).toMatch(
    /Measured paths:\n.*\nH\.264 8 bit hd to h264 +libx264 on the CPU, decoded on NVIDIA H200 .* 512 +0\.9 s +12\.50 +best\n/,
  )
})
