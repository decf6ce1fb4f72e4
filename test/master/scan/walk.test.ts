import { expect, test } from 'bun:test'
import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playground } from './playground.ts'

test('a scan finds videos in all folders, by extension in any letter case', async () => {
  await using ground = await playground()
  for (const name of ['a.mp4', 'B.MKV', 'notes.txt', 'x/y/z/deep.MoV', 'x/c.mp4']) await ground.file(name)
  await ground.scanner().scan()
  expect(ground.found()).toEqual(['B.MKV', 'a.mp4', 'x/c.mp4', 'x/y/z/deep.MoV'])
})

test('a source carries its id, size, whole milliseconds and outputs', async () => {
  await using ground = await playground()
  const path = await ground.file('show/a.mkv', { content: 'abc', mtime_ms: 1_700_000_000_123.7 })
  await ground.scanner().scan()
  expect(ground.store.sources.get('show/a.mkv')).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    source_path: path,
    source_size: 3,
    source_mtime_ms: 1_700_000_000_123,
    output_paths: expect.arrayContaining([join(ground.base, 'converted/show/a.mp4')]),
    problem: null,
  })
})

test.each([
  [0, ['a.mp4']],
  [1, ['a.mp4', 'x/b.mp4']],
  [-1, ['a.mp4', 'x/b.mp4', 'x/y/c.mp4']],
])('a recursive depth of %i finds %j', async (recursive_depth, expected) => {
  await using ground = await playground()
  for (const name of ['a.mp4', 'x/b.mp4', 'x/y/c.mp4']) await ground.file(name)
  await ground.scanner({ recursive_depth }).scan()
  expect(ground.found()).toEqual(expected)
})

test('strange names are ordinary', async () => {
  await using ground = await playground()
  const names = [
    '%03d.mp4',
    '-rf.mp4',
    'new\nline.mp4',
    'q"u\'o`te.mp4',
    '  .mp4',
    '🎬 é.mp4',
    'concat:a|b.mp4',
    'zero.mp4',
  ]
  for (const name of names) await ground.file(name, { content: name === 'zero.mp4' ? '' : 'x' })
  await ground.scanner().scan()
  expect(ground.found()).toEqual(names.toSorted())
  expect(ground.store.sources.get('zero.mp4')).toMatchObject({ source_size: 0, problem: null })
})

test('hidden, unfinished, system and own files are left alone', async () => {
  await using ground = await playground()
  for (const folder of ['.hidden', '.darkstream', '@eaDir', 'lost+found', 'b.mp4.download'])
    await ground.file(`${folder}/a.mp4`)
  for (const name of ['.a.mp4', 'a.part.mp4', 'a.mp4.crdownload', 'c.mp4', 'c.mp4.aria2', 'd.mp4'])
    await ground.file(name)
  await ground.scanner().scan()
  expect(ground.found()).toEqual(['d.mp4'])
})

test('what is no regular file is left alone, and a folder may be named like a video', async () => {
  await using ground = await playground()
  await ground.file('folder.mp4/a.mp4')
  Bun.spawnSync(['mkfifo', join(ground.root, 'pipe.mp4')])
  await symlink('pipe.mp4', join(ground.root, 'link.mp4'))
  using _server = Bun.listen({ unix: join(ground.root, 'socket.mp4'), socket: { data() {} } })
  await ground.scanner().scan()
  expect(ground.found()).toEqual(['folder.mp4/a.mp4'])
  expect(ground.lines).toEqual([])
})

test('names that are not UTF-8 become sources that say so, and such folders are reported', async () => {
  await using ground = await playground()
  await ground.file('good.mp4')
  Bun.spawnSync(
    ['bash', '-c', String.raw`touch $'bad\xff.mp4' $'bad\xfe.mp4'; mkdir $'dir\xff'; touch $'dir\xff/a.mp4'`],
    {
      cwd: ground.root,
    },
  )
  const scanner = ground.scanner()
  await scanner.scan()
  expect(ground.found()).toEqual(['bad\u{fffd}.mp4', 'good.mp4'])
  expect(ground.store.sources.get('bad\u{fffd}.mp4')?.problem).toBe('the file name is not valid UTF-8; rename the file')
  expect(scanner.report().problems).toEqual([expect.stringContaining('the folder name is not valid UTF-8')])
})

test('an output folder inside the root is not scanned, whatever path leads to it', async () => {
  await using ground = await playground()
  for (const name of ['a.mkv', 'out/a.mp4', 'out/sub/b.mp4', 'outer/c.mp4']) await ground.file(name)
  await symlink('out', join(ground.root, 'also-out'))
  await symlink('out/a.mp4', join(ground.root, 'z.mp4'))
  const aliased = join(ground.base, 'alias')
  await symlink(ground.root, aliased)
  await ground.scanner({ output_base: join(aliased, 'out') }).scan()
  expect(ground.found()).toEqual(['a.mkv', 'outer/c.mp4'])
  expect(ground.store.sources.get('a.mkv')).toMatchObject({ problem: null })
})

test('a source whose result would be found as a source says so', async () => {
  await using ground = await playground()
  await ground.file('a.mkv')
  await ground.scanner({ output_base: ground.root }).scan()
  expect(ground.store.sources.get('a.mkv')?.problem).toContain('choose another output folder')
})

test('sources are told in the order of their names, files before folders, in batches', async () => {
  await using ground = await playground()
  const names = Array.from({ length: 450 }, (_, index) => `f${index}.mp4`)
  await Promise.all(names.map((name) => ground.file(name)))
  await ground.file('a/z.mp4')
  await ground.scanner().scan()
  expect([...ground.store.sources.keys()]).toEqual([...names.toSorted(), 'a/z.mp4'])
  expect(ground.store.calls).toBe(10)
})

test('what shares a stem in one folder keeps its output when a scan is repeated', async () => {
  await using ground = await playground()
  for (const name of ['a.mov', 'a.mkv', 'b/a.mov']) await ground.file(name)
  const first = () =>
    ground.found().map((name) => ground.store.sources.get(name)?.output_paths[0]?.slice(ground.base.length))
  await ground.scanner().scan()
  expect(first()).toEqual(['/converted/a.mp4', '/converted/a.mov.mp4', '/converted/b/a.mp4'])
  await ground.scanner().scan()
  expect(first()).toEqual(['/converted/a.mp4', '/converted/a.mov.mp4', '/converted/b/a.mp4'])
})

test('what cannot be read is reported once and the rest is scanned', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  await symlink('loop.mp4', join(ground.root, 'loop.mp4'))
  await symlink('nowhere', join(ground.root, 'gone.mp4'))
  const scanner = ground.scanner()
  await scanner.scan()
  expect(ground.found()).toEqual(['a.mp4'])
  expect(scanner.report().problems.toSorted()).toEqual([
    `cannot read ${join(ground.root, 'loop.mp4')}: its links lead back to themselves`,
    `the link ${join(ground.root, 'gone.mp4')} leads to nothing`,
  ])
  expect(ground.lines.filter((line) => line.includes('WARN'))).toHaveLength(2)
  await scanner.scan()
  expect(scanner.report().problems).toHaveLength(2)
})

test('a folder whose path is too long is reported and skipped', async () => {
  await using ground = await playground()
  await ground.file('a.mp4')
  const name = 'd'.repeat(250)
  Bun.spawnSync(['bash', '-c', `for i in $(seq 17); do mkdir ${name} && cd ${name}; done; touch b.mp4`], {
    cwd: ground.root,
  })
  const scanner = ground.scanner()
  await scanner.scan()
  expect(ground.found()).toEqual(['a.mp4'])
  expect(scanner.report().problems).toEqual([expect.stringContaining('its path is too long')])
  Bun.spawnSync(['rm', '-rf', join(ground.root, name)])
})

test.skipIf(process.getuid?.() === 0)(
  'an unreadable folder is reported and skipped (root may read all, so not as root)',
  async () => {
    await using ground = await playground()
    await ground.file('secret/a.mp4')
    Bun.spawnSync(['chmod', '0', join(ground.root, 'secret')])
    const scanner = ground.scanner()
    await scanner.scan()
    Bun.spawnSync(['chmod', '700', join(ground.root, 'secret')])
    expect(scanner.report().problems).toEqual([`cannot read ${join(ground.root, 'secret')}: permission denied`])
  },
)

test('a hundred problems are shown and the rest is counted', async () => {
  await using ground = await playground()
  for (let index = 0; index < 130; index++) await symlink('nowhere', join(ground.root, `${index}.mp4`))
  const scanner = ground.scanner()
  await scanner.scan()
  expect(scanner.report().problems).toHaveLength(100)
  expect(ground.lines.at(-1)).toContain('30 more files or folders could not be read')
})

test('a folder that goes in the middle of a scan is skipped', async () => {
  await using ground = await playground()
  for (let index = 0; index < 200; index++) await ground.file(`a/${index}.mp4`)
  await ground.file('b/gone.mp4')
  const { store } = ground
  const removing = {
    async addSources(sources: Parameters<typeof store.addSources>[0]) {
      await rm(join(ground.root, 'b'), { recursive: true, force: true })
      return store.addSources(sources)
    },
  }
  const scanner = ground.scanner({ store: removing })
  await scanner.scan()
  expect(ground.found()).toHaveLength(200)
  expect(scanner.report()).toMatchObject({ problems: [], files_seen: 200 })
})

test('links to folders are followed, each real folder is visited once, and loops end', async () => {
  await using ground = await playground()
  const outside = await mkdtemp(join(tmpdir(), 'darkstream-outside-'))
  await ground.file('real/a.mp4')
  await rename(await ground.file('b.mp4'), join(outside, 'b.mp4'))
  await symlink(outside, join(ground.root, 'd-link'))
  await symlink(outside, join(ground.root, 'c-link'))
  await symlink('real', join(ground.root, 'a-link'))
  await symlink('..', join(ground.root, 'real/up'))
  await symlink('/', join(outside, '.slash'))
  await symlink(ground.base, join(outside, 'back'))
  const scanner = ground.scanner()
  await scanner.scan()
  expect(ground.found()).toEqual(['c-link/b.mp4', 'real/a.mp4'])
  expect(scanner.report().problems).toEqual([])
  await rm(outside, { recursive: true })
})

test('a link to a file counts only when the scan does not find the file by itself', async () => {
  await using ground = await playground()
  for (const name of ['real/a.mp4', '.annex/objects/b.mp4', 'keys/c-without-extension']) await ground.file(name)
  await symlink('real/a.mp4', join(ground.root, 'again.mp4'))
  await symlink('.annex/objects/b.mp4', join(ground.root, 'b.mp4'))
  await symlink('keys/c-without-extension', join(ground.root, 'c.mp4'))
  const outside = join(ground.base, 'outside.mp4')
  await rename(await ground.file('d.mp4'), outside)
  await symlink(outside, join(ground.root, 'd.mp4'))
  await mkdir(join(ground.root, 'empty'))
  await ground.scanner().scan()
  expect(ground.found()).toEqual(['b.mp4', 'c.mp4', 'd.mp4', 'real/a.mp4'])
})

test('a link below the recursive depth counts by its own path', async () => {
  await using ground = await playground()
  await ground.file('x/y/deep.mp4')
  await symlink('x/y/deep.mp4', join(ground.root, 'link.mp4'))
  await ground.scanner({ recursive_depth: 1 }).scan()
  expect(ground.found()).toEqual(['link.mp4'])
})
