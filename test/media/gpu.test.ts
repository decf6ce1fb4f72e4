import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { lavapipe, required } from '../support/lavapipe.ts'
import { lacks, vulkanFfmpeg } from '../support/vulkan.ts'
import { recipes } from './corpus.ts'
import { expectKept, useTable } from './table.ts'
import type { TargetName } from './promise.ts'

setDefaultTimeout(600_000)
const table = useTable({ ffmpeg_path: vulkanFfmpeg() ?? 'ffmpeg', gpus: required(lavapipe) })

/** What time, shape, depth and tags could suffer from on the way through a GPU; sizes that its encoder takes. */
const cases: [name: string, target: TargetName, encoder: string][] = [
  ['rate-film.mp4', 'ffv1.mkv', 'ffv1_vulkan'],
  ['variable.mp4', 'ffv1.mkv', 'ffv1_vulkan'],
  ['sound-late.mkv', 'ffv1.mkv', 'ffv1_vulkan'],
  ['turned-90.mp4', 'ffv1.mkv', 'ffv1_vulkan'],
  ['hdr10.mkv', 'ffv1.mkv', 'ffv1_vulkan'],
  ['ffv1-10.mkv', 'ffv1.mkv', 'ffv1_vulkan'],
  ['tracks.mkv', 'ffv1.mkv', 'ffv1_vulkan'],
  ['variable.mp4', 'prores.mov', 'prores_ks_vulkan'],
]

describe.skipIf(lacks('lavapipe', 'ffmpeg_vulkan'))('through a Vulkan device', () => {
  test.concurrent.each(cases)('%s to %s by %s', async (name, target, encoder) => {
    const recipe = recipes.find((recipe) => recipe.name === name)
    if (recipe === undefined) throw new Error(`no recipe for ${name}`)
    const row = await table.row(recipe, target, ' by a GPU')
    expect(typeof row.outcome === 'string' ? row.outcome : row.outcome.convert.ran_on).toMatchObject({ encoder })
    expectKept(row)
  })
})
