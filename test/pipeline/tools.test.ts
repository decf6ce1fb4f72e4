import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findTools, isTooOld } from '../../src/pipeline/tools.ts'
import { caught } from './samples.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function find(ffmpegPath: string, environment: Record<string, string | undefined> = process.env) {
  return findTools({ ffmpeg_path: ffmpegPath, environment, signal: new AbortController().signal })
}

/** A folder with programs that print what they are told to. */
function install(name: string, programs: Record<string, string>) {
  mkdirSync(join(folder, name))
  for (const [program, line] of Object.entries(programs)) {
    const path = join(folder, name, program)
    writeFileSync(path, `#!/bin/sh\necho '${line}'\n`)
    chmodSync(path, 0o755)
  }
  return join(folder, name, 'ffmpeg')
}

test('a bare name is looked up in PATH, and its ffprobe is the one beside it', async () => {
  const tools = await find('ffmpeg')
  expect(tools.ffmpeg_path).toMatch(/^\/.*\/ffmpeg$/)
  expect(tools.ffprobe_path).toMatch(/^\/.*\/ffprobe$/)
  expect(tools.version).toMatch(/\d/)
})

test("a build's own ffprobe is taken, not PATH's", async () => {
  const path = install('own', { ffmpeg: 'ffmpeg version n7.1 Copyright (c) 2000', ffprobe: 'ffprobe version n7.1' })
  const ffprobePath = join(folder, 'own', 'ffprobe')
  expect(await find(path)).toEqual({ ffmpeg_path: path, ffprobe_path: ffprobePath, version: 'n7.1' })
})

test('a program that is not called ffmpeg is not taken for its own ffprobe', async () => {
  install('odd', { ffmpeg: 'ffmpeg version n7.1', ffprobe: 'ffprobe version n7.1', converter: 'ffmpeg version n7.1' })
  const path = join(folder, 'odd', 'converter')
  expect((await find(path)).ffprobe_path).toBe(join(folder, 'odd', 'ffprobe'))
  install('lone', { converter: 'ffmpeg version n7.1' })
  const lone = join(folder, 'lone', 'converter')
  expect(await caught(find(lone))).toMatchObject({ message: expect.stringContaining('no ffprobe beside') })
})

test('what cannot be used is told with its remedy, and is the fault of this worker', async () => {
  const old = install('old', { ffmpeg: 'ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright', ffprobe: '' })
  const alone = install('alone', { ffmpeg: 'ffmpeg version 7.1' })
  const other = install('other', { ffmpeg: 'I am something else', ffprobe: '' })
  const remedy = 'install FFmpeg 5.1 or newer (apt-get install ffmpeg) or set ffmpeg.path'
  const cases = [
    ['/nonexistent/ffmpeg', `ffmpeg was not found at /nonexistent/ffmpeg: ${remedy}`],
    [old, `${old} is FFmpeg 4.4.2-0ubuntu0.22.04.1, which is too old: ${remedy}`],
    [alone, `there is no ffprobe beside ${alone}: ${remedy}`],
    [other, `${other} does not run as an ffmpeg: ${remedy}`],
  ] as const
  for (const [path, message] of cases) {
    expect(await caught(find(path))).toMatchObject({ message, report: { class: 'worker' } })
  }
})

test('releases before 5.1 are too old, builds from git are not', () => {
  const versions = [
    '4.4.2',
    'n4.4',
    '5.0.3',
    '5.1',
    '5.1.9-0+deb12u1',
    'n7.1',
    '10.0',
    'N-118345-g5ec3b1a9a6',
    '2024-01-01-git-x',
  ]
  expect(versions.filter(isTooOld)).toEqual(['4.4.2', 'n4.4', '5.0.3'])
})
