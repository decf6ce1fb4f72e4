import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { place } from '../support/cluster.ts'
import { run, temporaryFolder } from '../support/program.ts'

const clips = useClips()

test('plan shows each stream with its reason and the command, and writes nothing', async () => {
  const folder = temporaryFolder()
  place(await clips.path('two-sounds.mkv'), join(folder, 'a film.mkv'))
  const asked = ['plan', join(folder, 'a film.mkv'), '--codec', 'hevc', '--container', 'mkv']
  const { code, output } = await run(asked, { cwd: folder })
  expect(code).toBe(0)
  expect(output).toMatch(/^0 +video +h264 +encode +hevc +/m)
  expect(output).toMatch(/^1 +audio +ac3 +deu +encode +aac +/m)
  expect(output).toMatch(/^2 +audio +pcm_s16le +encode +aac +/m)
  expect(output).toContain(`'file:${join(folder, 'a film.mkv')}'`)
  const report = JSON.parse((await run([...asked, '--json'], { cwd: folder })).output)
  expect(report).toMatchObject({
    runs_on: { encoder: 'libx265' },
    streams: [{ to: 'hevc' }, { to: 'aac' }, { to: 'aac' }],
  })
  expect(report.commands[0]).toContain('libx265')
  expect(report.result).toMatchObject({
    codec: 'hevc',
    width: 160,
    height: 90,
    bytes: expect.any(Number),
    reason: null,
  })
  expect(readdirSync(folder)).toEqual(['a film.mkv'])
}, 60_000)

test('plan shows both passes, where the result goes in replace mode, and what will probably be skipped', async () => {
  const folder = temporaryFolder()
  place(await clips.path('plain.mkv'), join(folder, 'a.mkv'))
  const environment = {
    DARKSTREAM_CONVERSION_TWO_PASS: 'true',
    DARKSTREAM_CONVERSION_MAX_SIZE_RATIO: '0.5',
    DARKSTREAM_REPLACE_ENABLED: 'true',
    DARKSTREAM_SCANNER_ROOT_PATH: folder,
  }
  const report = JSON.parse((await run(['plan', 'a.mkv', '--json'], { cwd: folder, environment })).output)
  expect(report.commands).toHaveLength(2)
  expect(report.output_path).toBe(join(folder, 'a.mp4'))
  expect(report.likely_skip).toMatch(
    /^the result is expected to be [\d.]+ times its source, and max_size_ratio is 0.5$/,
  )
}, 60_000)

test('plan tells in a sentence why a file cannot be converted', async () => {
  const folder = temporaryFolder()
  place(await clips.path('sound-only.mp4'), join(folder, 'sound.mp4'))
  const { code, output } = await run(['plan', 'sound.mp4'], { cwd: folder })
  expect({ code, output }).toEqual({ code: 1, output: 'darkstream: no video stream, only audio\n' })
}, 60_000)

test('start --dry-run plans what is not done yet, with totals, and writes nothing', async () => {
  const base = temporaryFolder()
  const [source, output] = [join(base, 'in'), join(base, 'out')]
  mkdirSync(join(source, 'sub'), { recursive: true })
  place(await clips.path('plain.mp4'), join(source, 'done.mp4'))
  const never = await run(['start', source, output, '--dry-run'])
  expect(never.output).toContain('would convert  done.mp4 -> done.mp4  (h264 320x180, ')
  expect(existsSync(output)).toBe(false)
  expect((await run(['start', source, output, '--once'])).code).toBe(0)
  place(await clips.path('plain.mkv'), join(source, 'sub', 'new.mkv'))
  place(await clips.path('index-last.mp4'), join(source, 'broken.mp4'))
  truncateSync(join(source, 'broken.mp4'), 20_000)
  const files = readdirSync(output, { recursive: true })
  const again = await run(['start', source, output, '--dry-run'])
  expect(again.code).toBe(0)
  expect(again.output).toContain('would convert  sub/new.mkv -> sub/new.mp4  (h264 320x180, ')
  expect(again.output).toMatch(/^would fail +broken\.mp4: truncated/m)
  expect(again.output).toMatch(/^to convert +1$/m)
  expect(again.output).toMatch(/^would fail +1$/m)
  expect(again.output).toMatch(/^done before +1$/m)
  expect(again.output).toMatch(/^size expected +[\d.]+ [kM]B$/m)
  const told = JSON.parse((await run(['start', source, output, '--dry-run', '--json'])).output)
  expect(told.files.map(({ action }: { action: string }) => action).toSorted()).toEqual(['convert', 'fail'])
  expect(readdirSync(output, { recursive: true })).toEqual(files)
}, 60_000)

test('plan and --dry-run go by the profiles of the configuration', async () => {
  const base = temporaryFolder()
  const source = join(base, 'in')
  place(await clips.path('plain.mp4'), join(source, 'phones', 'a.mp4'))
  place(await clips.path('plain.mkv'), join(source, 'b.mkv'))
  place(await clips.path('interlaced.mkv'), join(source, 'films', 'c.mkv'))
  const config = join(base, 'config.yaml')
  writeFileSync(
    config,
    `scanner: {root_path: ${source}, output_base: ${join(base, 'out')}}
profiles:
  - {name: phone clips, path: phones/**, skip: true}
  - {name: films, path: films/**, when: {codec: h264}, conversion: {codec: hevc}}
  - {name: small, when: {max_height: 180}, skip: true}
`,
  )
  const dry = await run(['start', source, join(base, 'out'), '--dry-run', '--config', config])
  expect(dry.output).toMatch(/^would skip +b\.mkv: profile small says skip: h264 at [\d.]+ [kM]b\/s in 320x180$/m)
  expect(dry.output).toContain('would convert  films/c.mkv -> films/c.mp4  (hevc 320x180')
  expect(dry.output).toMatch(/^would skip +1$/m)
  expect(dry.output).toMatch(/^skipped before, or by path +1$/m)
  const film = await run(['plan', join(source, 'films', 'c.mkv'), '--config', config])
  expect(film.output).toMatch(/^profile: films$/m)
  expect(film.output).toContain('libx265')
  const skipped = await run(['plan', join(source, 'phones', 'a.mp4'), '--config', config])
  expect(skipped.code).toBe(0)
  expect(skipped.output).toMatch(/^would be skipped: profile phone clips says skip: h264 at/)
}, 60_000)
