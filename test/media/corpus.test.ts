import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConversionError } from '../../src/contract/failure.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { noGpus } from '../support/no-gpus.ts'
import { also } from './also.ts'
import { recipes, useCorpus } from './corpus.ts'
import { type Aspect, type Fault, judge } from './judge.ts'
import { matrix, type Row } from './matrix.ts'
import { pending } from './pending.ts'
import { promisedOf, type TargetName, targets } from './promise.ts'
import type { Recipe } from './recipe.ts'
import { openStudio, type Studio } from './studio.ts'

setDefaultTimeout(600_000)
const corpus = useCorpus()
const folder = mkdtempSync(join(tmpdir(), 'darkstream-media-'))
const rows: Row[] = []
let studio: Studio

beforeAll(async () => {
  const { signal } = new AbortController()
  const tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
  studio = openStudio({ folder, tools, gpus: noGpus })
})
afterAll(() => {
  console.log(matrix(rows))
  rmSync(folder, { recursive: true, force: true })
})

/** The whole product of clips and targets takes minutes; without it every clip is converted once, and some more often. */
const isLong = process.env['DARKSTREAM_TEST_MEDIA'] === 'long'

describe.each(recipes.filter(({ holds, refused }) => holds !== null || refused !== undefined))(
  '$name: $about',
  (recipe) => {
    test.concurrent.each(targetsOf(recipe))('to %s', async (name) => {
      const row = await convertedRow(recipe, name)
      rows.push(row)
      const marks = pending[`${recipe.name} to ${name}`] ?? []
      const isMarked = ({ aspect }: Fault) => marks.includes(aspect)
      expect(row.faults.filter((fault) => !isMarked(fault)).map(told)).toEqual([])
      const rotten = marks.filter((mark: Aspect) => !row.faults.some(({ aspect }) => aspect === mark))
      expect({ 'marks that can go from pending.ts': rotten }).toEqual({ 'marks that can go from pending.ts': [] })
    })
  },
)

function targetsOf(recipe: Recipe): TargetName[] {
  if (recipe.refused !== undefined) return ['h264.mp4']
  return isLong ? (Object.keys(targets) as TargetName[]) : ['h264.mp4', ...(also[recipe.name] ?? [])]
}

async function convertedRow(recipe: Recipe, name: TargetName): Promise<Row> {
  const target = targets[name]
  const { holds } = recipe
  const wanted = recipe.refused ?? (holds === null ? null : promisedOf(holds, target).refused)
  const base = { clip: recipe.name, target: name, is_pending: pending[`${recipe.name} to ${name}`] !== undefined }
  try {
    const outcome = await studio.converted(await corpus.path(recipe.name), target)
    const { source, result, convert } = outcome
    const missed: Fault = { aspect: 'outcome', message: `converted, though it should be refused: ${wanted}` }
    const faults = holds === null || wanted !== null ? [missed] : judge(holds, target, source, result, convert)
    return { ...base, outcome, faults }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const isMeant = wanted !== null && wanted.test(error.message) && error.report.class === 'permanent'
    const message = `refused as ${error.report.class}: ${error.message}`
    return { ...base, outcome: error.message, faults: isMeant ? [] : [{ aspect: 'outcome', message }] }
  }
}

function told({ aspect, message }: Fault): string {
  return `${aspect}: ${message}`
}
