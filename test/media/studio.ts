import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import { convert, type ConvertResult } from '../../src/pipeline/convert.ts'
import type { GpuAccess } from '../../src/pipeline/gpu-access.ts'
import type { Tools } from '../../src/pipeline/tools.ts'
import { settings } from '../pipeline/samples.ts'
import { audioBitrate, type Seen } from './judge.ts'
import { measure } from './measure.ts'
import type { Target } from './promise.ts'
import { watch } from './watch.ts'

/** What came of a conversion. */
export interface Converted {
  convert: ConvertResult
  source: Seen
  result: Seen
}

/** Converts clips and looks at what came of it, two at a time. */
export interface Studio {
  converted(path: string, target: Target, changes?: Partial<ConversionSettings>): Promise<Converted>
}

/** What a studio works with; `folder` must be there, and nothing is left in it. */
export interface StudioOptions {
  folder: string
  tools: Tools
  gpus: GpuAccess
}

/** Large enough for every clip, so that none is made smaller. */
const box = { width: 8192, height: 8192 }
const limits = { encode_timeout_ms: 120_000, probe_timeout_ms: 30_000, stall_timeout_ms: 60_000 }

/** Opens one. */
export function openStudio({ folder, tools, gpus }: StudioOptions): Studio {
  const seen = new Map<string, Promise<Seen>>()
  const inTurn = turns(2)
  const look = async (path: string): Promise<Seen> => {
    const room = mkdtempSync(join(folder, 'look-'))
    const measured = await measure(tools.ffprobe_path, path, room)
    const channels = measured.sounds.map((stream) => stream.channels)
    const watched = await watch(tools.ffmpeg_path, path, channels, room)
    rmSync(room, { recursive: true })
    return { measured, watched }
  }
  return {
    converted: (path, target, changes = {}) =>
      inTurn(async () => {
        const room = mkdtempSync(join(folder, 'convert-'))
        const staging = join(room, 'attempt', 'out')
        const wanted = {
          target_resolution: box,
          preset: 'ultrafast',
          audio_bitrate: audioBitrate,
          ...target,
          ...changes,
        } as const
        const done = await convert({
          source_path: path,
          staging_path: staging,
          work_path: join(room, 'work'),
          settings: settings(wanted),
          tools,
          limits,
          gpus,
          child_environment: process.env,
          on_progress: () => {},
          signal: new AbortController().signal,
        }).catch((error: unknown) => {
          rmSync(room, { recursive: true })
          throw error
        })
        const source = seen.get(path) ?? look(path)
        seen.set(path, source)
        const both = { convert: done, source: await source, result: await look(staging) }
        rmSync(room, { recursive: true })
        return both
      }),
  }
}

/** Runs so many at a time, in the order of asking. */
export function turns(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = count
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
