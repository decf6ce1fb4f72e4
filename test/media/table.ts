import { afterAll, beforeAll, expect } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConversionError } from '../../src/contract/failure.ts'
import type { GpuAccess } from '../../src/pipeline/gpu-access.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { type Corpus, useCorpus } from './corpus.ts'
import { type Fault, judge } from './judge.ts'
import { matrix, type Row } from './matrix.ts'
import { pending } from './pending.ts'
import { promisedOf, type TargetName, targets } from './promise.ts'
import type { Recipe } from './recipe.ts'
import { openStudio, type Studio } from './studio.ts'

/** By what clips are converted. */
export interface TableOptions {
  ffmpeg_path: string
  gpus: GpuAccess
}

/** A table of conversions. */
export interface Table {
  /** Converts a clip and gives the row of it; `by` tells rows apart that are made otherwise than most. */
  row(recipe: Recipe, target: TargetName, by?: string): Promise<Row>
}

/** Call it at the top of a test file; the table is printed when its tests have ended. */
export function useTable({ ffmpeg_path, gpus }: TableOptions): Table {
  const corpus = useCorpus()
  const rows: Row[] = []
  let folder: string | undefined
  let studio: Studio
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'darkstream-media-'))
    const { signal } = new AbortController()
    studio = openStudio({ folder, gpus, tools: await findTools({ ffmpeg_path, environment: process.env, signal }) })
  })
  afterAll(() => {
    if (rows.length > 0) console.log(matrix(rows))
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  return {
    row: async (recipe, target, by = '') => {
      const marks = pending[`${recipe.name} to ${target}`] ?? []
      const row = { clip: recipe.name, target: `${target}${by}`, marks }
      const whole = { ...row, ...(await outcomeOf(studio, corpus, recipe, target)) }
      rows.push(whole)
      return whole
    },
  }
}

/** Fails for every fault that is not marked as pending. */
export function expectKept({ faults, marks }: Row): void {
  const unmarked = faults.filter(({ aspect }) => !marks.includes(aspect))
  expect(unmarked.map(({ aspect, message }) => `${aspect}: ${message}`)).toEqual([])
}

/** Fails for every mark that has no fault any more. */
export function expectMarksTrue({ faults, marks }: Row): void {
  const rotten = marks.filter((mark) => !faults.some(({ aspect }) => aspect === mark))
  expect({ 'marks that can go from pending.ts': rotten }).toEqual({ 'marks that can go from pending.ts': [] })
}

async function outcomeOf(
  studio: Studio,
  corpus: Corpus,
  { name, holds, refused }: Recipe,
  targetName: TargetName,
): Promise<Pick<Row, 'outcome' | 'faults'>> {
  const target = targets[targetName]
  const wanted = refused ?? (holds === null ? null : promisedOf(holds, target).refused)
  try {
    const outcome = await studio.converted(await corpus.path(name), target)
    const missed: Fault = { aspect: 'outcome', message: `converted, though it should be refused: ${wanted}` }
    const { source, result, convert } = outcome
    const faults = holds === null || wanted !== null ? [missed] : judge(holds, target, source, result, convert)
    return { outcome, faults }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const isMeant = wanted !== null && wanted.test(error.message) && error.report.class === 'permanent'
    const message = `refused as ${error.report.class}: ${error.message}`
    return { outcome: error.message, faults: isMeant ? [] : [{ aspect: 'outcome', message }] }
  }
}
