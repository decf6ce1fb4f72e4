import { describe, setDefaultTimeout, test } from 'bun:test'
import { noGpus } from '../support/no-gpus.ts'
import { also } from './also.ts'
import { recipes } from './corpus.ts'
import { type TargetName, targets } from './promise.ts'
import type { Recipe } from './recipe.ts'
import { expectKept, expectMarksTrue, useTable } from './table.ts'

setDefaultTimeout(1_800_000)
const table = useTable({ ffmpeg_path: 'ffmpeg', gpus: noGpus })
/** The whole product of clips and targets takes a quarter of an hour; without it each is converted once, some more often. */
const isLong = process.env['DARKSTREAM_TEST_MEDIA'] === 'long'

describe.each(recipes.filter(isConverted))('$name: $about', (recipe) => {
  test.concurrent.each(targetsOf(recipe))('to %s', async (target) => {
    const row = await table.row(recipe, target)
    expectKept(row)
    expectMarksTrue(row)
  })
})

function isConverted({ holds, refused }: Recipe): boolean {
  return holds !== null || refused !== undefined
}

function targetsOf({ name, refused }: Recipe): TargetName[] {
  if (refused !== undefined) return ['h264.mp4']
  return isLong ? (Object.keys(targets) as TargetName[]) : ['h264.mp4', ...(also[name] ?? [])]
}
