import { describe, setDefaultTimeout, test } from 'bun:test'
import { noGpus } from '../support/no-gpus.ts'
import { lacks, vulkanFfmpeg } from '../support/vulkan.ts'
import { also } from './also.ts'
import { recipes } from './corpus.ts'
import { type TargetName } from './promise.ts'
import type { Recipe } from './recipe.ts'
import { expectKept, useTable } from './table.ts'

setDefaultTimeout(1_800_000)
const table = useTable({ ffmpeg_path: vulkanFfmpeg() ?? 'ffmpeg', gpus: noGpus })
/** What is most likely to differ between versions of FFmpeg; all clips in the long run. */
const few = new Set([
  'rate-film.mp4',
  'variable.mp4',
  'sound-late.mkv',
  'turned-90.mp4',
  'hdr10.mp4',
  'tracks.mkv',
  'everything.mkv',
])
const isLong = process.env['DARKSTREAM_TEST_MEDIA'] === 'long'

describe.skipIf(lacks('ffmpeg_vulkan'))('by a newer FFmpeg', () => {
  describe.each(recipes.filter(isConverted))('$name: $about', (recipe) => {
    test.concurrent.each(targetsOf(recipe))('to %s', async (target) => {
      expectKept(await table.row(recipe, target, ' by a newer FFmpeg'))
    })
  })
})

function isConverted({ name, holds, refused }: Recipe): boolean {
  return isLong ? holds !== null || refused !== undefined : few.has(name)
}

function targetsOf({ name, refused }: Recipe): TargetName[] {
  return ['h264.mp4', ...(isLong && refused === undefined ? (also[name] ?? []) : [])]
}
