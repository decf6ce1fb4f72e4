import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { askVulkan } from '../src/cli/ask-vulkan.ts'
import { capabilityLines } from '../src/cli/gpu-text.ts'
import { proveAllowed } from '../src/cli/find-gpus.ts'
import { table } from '../src/cli/table.ts'
import { loadConfig } from '../src/config/load.ts'
import type { ConversionSettings } from '../src/contract/conversion.ts'
import { type Gpu, pathText, type PathFigure } from '../src/contract/gpu.ts'
import { calibrate } from '../src/pipeline/prove/calibrate.ts'
import type { SourceKind } from '../src/pipeline/prove/source-kind.ts'
import { findTools } from '../src/pipeline/tools.ts'

/**
 * What a GPU is worth: each path that this machine has proved, against the path that is all on the CPU, by conversions of
 * the same clips with the same settings in one run. Without a GPU it says so and ends with exit code 1.
 */
const { values } = parseArgs({
  options: {
    ffmpeg: { type: 'string', default: 'ffmpeg' },
    main: { type: 'string', default: join(import.meta.dir, '..', 'src', 'main.ts') },
    device: { type: 'string', default: 'auto' },
    concurrency: { type: 'string', default: '1,4' },
    seconds: { type: 'string', default: '5' },
  },
})

/** Sources and targets. ffv1_vulkan takes 4:2:0 pictures in multiples of 128 pixels only. */
const cases: readonly { source: SourceKind; wanted: Partial<ConversionSettings> }[] = [
  {
    source: { codec: 'h264', bit_depth: 8, size_class: 'hd' },
    wanted: { target_resolution: { width: 1280, height: 720 } },
  },
  { source: { codec: 'hevc', bit_depth: 8, size_class: 'uhd' }, wanted: {} },
  { source: { codec: 'hevc', bit_depth: 10, size_class: 'uhd' }, wanted: { codec: 'hevc', preset: 'veryfast' } },
  {
    source: { codec: 'hevc', bit_depth: 8, size_class: 'uhd' },
    wanted: { codec: 'ffv1', container: 'mkv', target_resolution: { width: 2048, height: 1152 } },
  },
  { source: { codec: 'h264', bit_depth: 8, size_class: 'hd' }, wanted: { codec: 'prores', container: 'mov' } },
]

const { signal } = new AbortController()
const { config } = loadConfig({
  environment: {},
  flags: { 'ffmpeg.path': values.ffmpeg, 'vulkan.preferred_device': values.device, 'conversion.preset': 'veryfast' },
})
const cache_folder = mkdtempSync(join(tmpdir(), 'darkstream-bench-gpu-'))
process.on('exit', () => rmSync(cache_folder, { recursive: true, force: true }))
const tools = await findTools({ ffmpeg_path: values.ffmpeg, environment: process.env, signal })
const common = { config, tools, cache_folder, environment: process.env, signal }
const vulkan = await askVulkan({
  ...config.vulkan,
  environment: process.env,
  signal,
  // The drivers are asked in a child of darkstream itself, which this program is not.
  command: [process.execPath, values.main],
})
const gpus = await proveAllowed({ ...common, concurrency: 4 }, vulkan)

console.log(`ffmpeg ${tools.version}; ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`)
for (const gpu of gpus) describe(gpu)
if (!gpus.some((gpu) => gpu.capabilities.some(({ proved }) => proved))) {
  console.log(vulkan.problem?.message ?? 'no GPU has proved anything')
  process.exit(1)
}
for (const concurrency of values.concurrency.split(',').map(Number)) {
  for (const { source, wanted } of cases) {
    const settings = { ...config.conversion, ...wanted }
    const window_ms = Number(values.seconds) * 1000
    const figures = await calibrate({
      ...common,
      gpus,
      settings,
      source,
      concurrency,
      window_ms,
      cap_ms: window_ms + 10_000,
    })
    report(source, settings, concurrency, figures)
  }
}

function describe(gpu: Gpu): void {
  console.log(`\n${gpu.name} by ${gpu.api}, driver ${gpu.driver_version}, ${gpu.decode_slots} decodes side by side`)
  for (const line of capabilityLines(gpu)) console.log(`  ${line}`)
}

function report(source: SourceKind, settings: ConversionSettings, concurrency: number, figures: PathFigure[]): void {
  const { codec, target_resolution: box, preset } = settings
  const onCpu = figures.find(({ gpu_id }) => gpu_id === null)
  console.log(
    `\n${source.codec} ${source.bit_depth} bit ${source.size_class} -> ${codec} ${box.width}x${box.height} ${preset}, ${concurrency} at a time`,
  )
  const rows = figures.map((figure) => [
    pathText(figure),
    String(figure.processes),
    figure.fps?.toFixed(1) ?? figure.reason ?? '',
    ratio(figure.fps, onCpu?.fps),
    figure.start_ms === null ? '' : `${(figure.start_ms / 1000).toFixed(1)} s`,
    figure.cpu_ms_per_frame?.toFixed(1) ?? '',
    ratio(figure.cpu_ms_per_frame, onCpu?.cpu_ms_per_frame),
  ])
  console.log(
    table(['path', 'side by side', 'fps each', 'to the CPU', 'start', 'CPU ms a frame', 'to the CPU'], rows).trimEnd(),
  )
}

function ratio(value: number | null, base: number | null | undefined): string {
  return value === null || base === null || base === undefined || base === 0 ? '' : (value / base).toFixed(2)
}
