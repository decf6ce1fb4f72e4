import { expect, test } from 'bun:test'
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { executable, run, temporaryFolder } from '../support/program.ts'

async function answered(folder: string, answers: readonly string[]) {
  const child = Bun.spawn([executable, 'init'], { cwd: folder, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
  await child.stdin.write(answers.map((line) => `${line}\n`).join(''))
  await child.stdin.end()
  const [output, complaint, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { output, complaint, code }
}

test('init --yes writes the commented defaults once, for its owner alone, and never over a file', async () => {
  const folder = temporaryFolder()
  expect(await run(['init', '--yes'], { cwd: folder })).toMatchObject({ code: 0 })
  const file = join(folder, 'config.yaml')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const example = readFileSync(join(import.meta.dir, '../../config.example.yaml'), 'utf8')
  // Where it is not said, a worker looks for its master.
  expect(readFileSync(file, 'utf8')).toBe(example.replace('  master_url:', '  # master_url:'))
  const again = await run(['init', '--yes'], { cwd: folder })
  expect(again.code).toBe(1)
  expect(again.output).toContain('config.yaml is there already')
  const below = await run(['init', 'no/such/config.yaml', '--yes'], { cwd: folder })
  expect(below).toMatchObject({ code: 0, output: expect.stringContaining('all defaults') })
  expect(await run(['config', 'check', 'no/such/config.yaml'], { cwd: folder })).toMatchObject({ code: 0 })
  const isFolder = await run(['init', 'no/such', '--yes'], { cwd: folder })
  expect(isFolder).toMatchObject({ code: 1, output: expect.stringContaining('is a folder: name a file') })
  const isFile = await run(['init', 'config.yaml/x.yaml', '--yes'], { cwd: folder })
  expect(isFile).toMatchObject({ code: 1, output: expect.stringContaining('config.yaml is no folder') })
})

test('init asks again what the configuration would refuse, and what it writes loads', async () => {
  const folder = temporaryFolder()
  const wrong = ['/srv/in', 'vp10']
  const answers = ['master', '/srv/in', wrong[0] ?? '', '/srv/out', wrong[1] ?? '', 'hevc', 'mkv', '']
  const { output, code } = await answered(folder, answers)
  expect(code).toBe(0)
  expect(output).toContain('found "vp10"')
  const shown = await run(['config', 'show', '--config', 'config.yaml'], { cwd: folder })
  expect(shown.output).toMatch(/^ {2}root_path: \/srv\/in +# config\.yaml:/m)
  expect(shown.output).toMatch(/^ {2}output_base: \/srv\/out +# config\.yaml:/m)
  expect(shown.output).toMatch(/^ {2}codec: hevc +# config\.yaml:/m)
})

test('where it may not write, init asks nothing', async () => {
  const folder = temporaryFolder()
  chmodSync(folder, 0o555)
  const asUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  const { code, output } = await run(['init', 'sub/config.yaml'], { cwd: folder, prefix: asUser })
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('is not yours') })
  expect(output).not.toContain('For the master')
})

test('the line that a master printed answers for address, token and pin; folders become absolute', async () => {
  const folder = temporaryFolder()
  const token = `dsw_${'a'.repeat(43)}`
  const pin = `sha256:${'0f'.repeat(32)}`
  const line = (word: string) => `  darkstream worker --master https://10.0.0.5:8080 --token ${word} --pin ${pin}`
  const { output, code } = await answered(folder, ['what', 'worker', line('TOKEN'), line(token), 'share'])
  expect(code).toBe(0)
  expect(output).toContain('write master, worker or both')
  expect(output).toContain('that is not the whole line')
  expect(output).toContain(`${join(folder, 'share')} is not there yet`)
  expect(output).toContain('sudo darkstream service install worker --config')
  const { worker, storage } = parse(readFileSync(join(folder, 'config.yaml'), 'utf8')) as Record<string, unknown>
  expect(worker).toMatchObject({ master_url: 'https://10.0.0.5:8080', token, pin })
  expect(storage).toMatchObject({ mount_path: join(folder, 'share') })
})

/** What a configuration becomes whose codec and container are answered so. */
async function chosen(codec: string, container: string) {
  const folder = temporaryFolder()
  const { output, code } = await answered(folder, ['master', '', '', codec, container, ''])
  expect(code).toBe(0)
  const { conversion } = parse(readFileSync(join(folder, 'config.yaml'), 'utf8')) as { conversion: object }
  return { output, conversion }
}

test('a codec or a container that does not go with the usual rest brings what it needs', async () => {
  const archive = await chosen('ffv1', '')
  expect(archive.output).toContain('with it conversion.container: mkv')
  expect(archive.output).toContain('(mp4, mkv, webm, mov) [mkv]')
  expect(archive.conversion).toMatchObject({ codec: 'ffv1', container: 'mkv' })
  expect((await chosen('prores', 'mov')).conversion).toMatchObject({ codec: 'prores', container: 'mov' })
  const web = await chosen('vp9', 'webm')
  expect(web.output).toContain('with it conversion.audio_codec: opus')
  expect(web.conversion).toMatchObject({ codec: 'vp9', container: 'webm', audio_codec: 'opus' })
})

test('a master on another host has its token asked for, one of this machine has not', async () => {
  const [near, far] = [temporaryFolder(), temporaryFolder()]
  expect((await answered(near, ['worker', '', ''])).output).not.toContain('dsw_')
  const { output, code } = await answered(far, ['worker', 'https://storage.example', 'dsw_x', '', ''])
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining("The master's token") })
  expect(output).toContain('Pin of its certificate')
})

test('Ctrl-C in the middle writes nothing, and says so', async () => {
  const folder = temporaryFolder()
  const child = Bun.spawn([executable, 'init'], { cwd: folder, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
  await child.stdin.write('master\n')
  await child.stdin.flush()
  const decoder = new TextDecoder()
  let output = ''
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true })
    if (output.includes('Folder with the source videos')) child.kill('SIGINT')
  }
  expect(await child.exited).toBe(130)
  expect(output).toEndWith('nothing is written\n')
  expect(readdirSync(folder)).toEqual([])
})

test('answers that end too early write nothing', async () => {
  const folder = temporaryFolder()
  const { complaint, code } = await answered(folder, ['master', '/srv/in'])
  expect({ code, complaint }).toMatchObject({ code: 2, complaint: expect.stringContaining('--yes asks none') })
  expect(await run(['config', 'check', 'config.yaml'], { cwd: folder })).toMatchObject({ code: 2 })
})
