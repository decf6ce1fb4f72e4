import { expect, test } from 'bun:test'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { place, probe } from '../support/cluster.ts'
import { eventually, run, start, temporaryFolder } from '../support/program.ts'

const clips = useClips()

function folders(): { source: string; output: string } {
  const base = temporaryFolder()
  mkdirSync(join(base, 'in'))
  return { source: join(base, 'in'), output: join(base, 'out') }
}

test('start --once converts all that can be, fails the rest with a plain sentence each, and ends with 1', async () => {
  const { source, output } = folders()
  const names = [
    'plain name.mp4',
    `quotes "'.mp4`,
    'new\nline.mp4',
    '🎬 film.mp4',
    '-dash.mp4',
    '%03d.mp4',
    'a:b.mp4',
    '%d.png.mp4',
  ]
  for (const name of names) place(await clips.path('plain.mp4'), join(source, name))
  const broken = async (name: string, clip: string, bytes: number) => {
    copyFileSync(clip, join(source, name))
    truncateSync(join(source, name), bytes)
  }
  await broken('truncated.mkv', await clips.path('plain.mkv'), 60_000)
  await broken('headless.mp4', await clips.path('index-last.mp4'), 60_000)
  writeFileSync(join(source, 'zero.mp4'), '')
  writeFileSync(join(source, 'text.mp4'), 'this is not a video\n')
  writeFileSync(join(source, 'playlist.mp4'), '#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n')
  place(await clips.path('sound-only.mp4'), join(source, 'sound.mp4'))
  const { code, output: said } = await run(['start', source, output, '--once'], {
    environment: { DARKSTREAM_SCANNER_SETTLE_TIME: '0s' },
  })
  expect(code).toBe(1)
  for (const name of names) expect((await probe(join(output, name))).video).toBe('h264')
  const reason = (name: string) => said.split('\n').find((line) => line.startsWith(`  ${name}: `))
  expect(reason('zero.mp4')).toContain('the file is empty')
  expect(reason('text.mp4')).toContain('not a video')
  expect(reason('playlist.mp4')).toContain('playlist')
  expect(reason('sound.mp4')).toContain('no video stream')
  expect(reason('headless.mp4')).toContain('truncated')
  expect(reason('truncated.mkv')).toMatch(/truncated|damaged/)
  expect(said).toMatch(/converted +8\n/)
  expect(said).toMatch(/failed +6\n/)
}, 60_000)

test('a second start converts what is new and leaves the rest alone', async () => {
  const { source, output } = folders()
  place(await clips.path('plain.mp4'), join(source, 'a.mp4'))
  expect((await run(['start', source, output, '--once'])).code).toBe(0)
  const before = readFileSync(join(output, 'a.mp4'))
  place(await clips.path('plain.mkv'), join(source, 'b.mkv'))
  const again = await run(['start', source, output, '--once'])
  expect(again.code).toBe(0)
  expect(again.output).toMatch(/converted +1\n/)
  expect(again.output).toMatch(/converted before +1\n/)
  expect(readFileSync(join(output, 'a.mp4')).equals(before)).toBe(true)
}, 60_000)

test('what is skipped is told with its reason, is no failure, and is left alone by a second start', async () => {
  const { source, output } = folders()
  place(await clips.path('plain.mp4'), join(source, 'a.mp4'))
  const environment = { DARKSTREAM_CONVERSION_MAX_SIZE_RATIO: '1%' }
  const first = await run(['start', source, output, '--once'], { environment })
  expect(first.output).toMatch(/^skipped +a\.mp4: .* times its source .* max_size_ratio is 0\.01$/m)
  expect(first.output).toMatch(/skipped +1\n/)
  expect(first.output).toMatch(/failed +0\n/)
  const second = await run(['start', source, output, '--once'])
  expect(second.output).not.toContain('a.mp4')
  expect(second.output).toMatch(/skipped +1\n/)
  expect([first.code, second.code]).toEqual([0, 0])
  expect(readdirSync(output)).toEqual(['.darkstream'])
}, 60_000)

test('start --once waits for a file that is still being written', async () => {
  const { source, output } = folders()
  const path = join(source, 'growing.mp4')
  const whole = readFileSync(await clips.path('index-last.mp4'))
  writeFileSync(path, whole.subarray(0, 40_000))
  const program = start(['start', source, output, '--once'], {
    environment: { DARKSTREAM_SCANNER_SETTLE_TIME: '1s', DARKSTREAM_LOGGING_LEVEL: 'debug' },
  })
  const { url } = { url: /http:\S+/.exec(await program.line(/at a time/))?.[0] ?? '' }
  await eventually(async () => {
    const { scan } = (await (await fetch(`${url}/api/stats`)).json()) as { scan: { settling: number } }
    return scan.settling === 1
  })
  writeFileSync(path, whole)
  expect(await program.ended).toBe(0)
  expect((await probe(join(output, 'growing.mp4'))).seconds).toBeCloseTo(1, 0)
}, 60_000)

test('a foreign file where a result belongs is left alone until it may be replaced', async () => {
  const { source, output } = folders()
  place(await clips.path('plain.mkv'), join(source, 'a.mkv'))
  mkdirSync(output)
  writeFileSync(join(output, 'a.mp4'), 'mine')
  const refused = await run(['start', source, output, '--once'])
  expect(refused.code).toBe(1)
  expect(refused.output).toContain('was not made here')
  expect(readFileSync(join(output, 'a.mp4'), 'utf8')).toBe('mine')
  const retried = start(['start', source, output, '--overwrite'])
  const url = /http:\S+/.exec(await retried.line(/at a time/))?.[0] ?? ''
  expect((await run(['retry', '--master-url', url])).code).toBe(0)
  await retried.line(/^converted/)
  retried.signal('SIGTERM')
  await retried.ended
  expect((await probe(join(output, 'a.mp4'))).video).toBe('h264')
}, 60_000)

test('a result lies beside its source without disturbing it when the output folder is inside the source folder', async () => {
  const { source } = folders()
  const output = join(source, 'converted')
  place(await clips.path('plain.mp4'), join(source, 'a.mp4'))
  const first = await run(['start', source, output, '--once'])
  const second = await run(['start', source, output, '--once'])
  expect([first.code, second.code]).toEqual([0, 0])
  expect(second.output).toMatch(/converted +0\n/)
  expect(first.output).toMatch(/converted +1\n/)
}, 60_000)

test('what a user without rights cannot read or write is told in a sentence', async () => {
  const { source, output } = folders()
  const unreadable = join(source, 'secret.mp4')
  place(await clips.path('plain.mp4'), unreadable)
  place(await clips.path('plain.mp4'), join(source, 'open.mp4'))
  chmodSync(unreadable, 0o000)
  const cache = join(source, '..', 'cache')
  mkdirSync(output)
  for (const folder of [join(source, '..'), source, output]) chmodSync(folder, 0o777)
  const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  const options = { prefix: nobody, environment: { DARKSTREAM_STORAGE_CACHE_PATH: cache }, cwd: source }
  const { code, output: said } = await run(['start', source, output, '--once'], options)
  expect(code).toBe(1)
  expect(said).toMatch(/^converted +open\.mp4/m)
  expect(said).toMatch(/secret\.mp4: .*permission denied/i)
  chmodSync(output, 0o555)
  const refused = await run(['start', source, join(output, 'no'), '--once'], options)
  expect(refused.code).toBe(1)
  expect(refused.output).toContain('cannot write to OUTPUT')
}, 60_000)

test('a folder that is not there, and output over the sources, are refused as wrong usage', async () => {
  const { source } = folders()
  expect(await run(['start', join(source, 'nowhere'), join(source, 'out'), '--once'])).toMatchObject({ code: 2 })
  const same = await run(['start', source, source, '--once'])
  expect(same.code).toBe(2)
  expect(same.output).toContain('OUTPUT')
})

test('results carry the time of their source', async () => {
  const { source, output } = folders()
  place(await clips.path('plain.mp4'), join(source, 'a.mp4'))
  const then = new Date('2020-02-03T04:05:06Z')
  utimesSync(join(source, 'a.mp4'), then, then)
  expect((await run(['start', source, output, '--once'])).code).toBe(0)
  expect(new Date(Bun.file(join(output, 'a.mp4')).lastModified).toISOString()).toBe(then.toISOString())
}, 60_000)

test('a failure whose file was taken away is none any more, and one that was mended is tried again', async () => {
  const { source, output } = folders()
  writeFileSync(join(source, 'empty.mp4'), '')
  place(await clips.path('plain.mkv'), join(source, 'a.mkv'))
  mkdirSync(output)
  writeFileSync(join(output, 'a.mp4'), 'mine')
  const environment = { DARKSTREAM_SCANNER_SETTLE_TIME: '0s' }
  const first = await run(['start', source, output, '--once'], { environment })
  expect(first.output).toMatch(/failed +2\n/)
  rmSync(join(source, 'empty.mp4'))
  rmSync(join(output, 'a.mp4'))
  const second = await run(['start', source, output, '--once'], { environment })
  expect(second.output).toMatch(/converted +1\n/)
  expect(second.code).toBe(0)
}, 60_000)

test('what was cut out of a longer recording and does not start at zero is healthy', async () => {
  const { source, output } = folders()
  const cut = join(source, 'cut.mkv')
  const argv = ['ffmpeg', '-v', 'error', '-itsoffset', '10', '-i', await clips.path('plain.mp4'), '-c', 'copy', cut]
  expect(await Bun.spawn(argv).exited).toBe(0)
  const { code } = await run(['start', source, output, '--once'], {
    environment: { DARKSTREAM_SCANNER_SETTLE_TIME: '0s' },
  })
  expect(code).toBe(0)
}, 60_000)

test('start serves this machine alone, and under its own names, whatever host a configuration has', async () => {
  const { source, output } = folders()
  const environment = { DARKSTREAM_SERVER_HOST: '0.0.0.0', DARKSTREAM_SERVER_PORT: '0' }
  const program = start(['start', source, output], { environment })
  const line = await program.line(/status --master-url/)
  expect(line).toMatch(/--master-url http:\/\/127\.0\.0\.1:\d+$/)
  const url = line.split(' ').at(-1) ?? ''
  const asked = (Host: string) => fetch(`${url}/api/status`, { headers: { Host } }).then(({ status }) => status)
  expect([await asked('localhost'), await asked('evil.example')]).toEqual([200, 403])
  program.signal('SIGTERM')
  expect(await program.ended).toBe(0)

  const opened = start(['start', source, output], {
    environment: { ...environment, DARKSTREAM_SERVER_INSECURE: 'true' },
  })
  expect(await opened.line(/status --master-url/)).toMatch(/http:\/\/0\.0\.0\.0:\d+$/)
  opened.signal('SIGTERM')
  expect(await opened.ended).toBe(0)
}, 60_000)
