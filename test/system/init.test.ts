import { expect, test } from 'bun:test'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
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
  expect(readFileSync(file, 'utf8')).toBe(example)
  const again = await run(['init', '--yes'], { cwd: folder })
  expect(again.code).toBe(1)
  expect(again.output).toContain('config.yaml is there already')
  const away = await run(['init', 'no/such/folder.yaml', '--yes'], { cwd: folder })
  expect(away).toMatchObject({ code: 1, output: expect.stringContaining('ENOENT') })
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

test('answers that end too early write nothing', async () => {
  const folder = temporaryFolder()
  const { complaint, code } = await answered(folder, ['master', '/srv/in'])
  expect({ code, complaint }).toMatchObject({ code: 2, complaint: expect.stringContaining('--yes asks none') })
  expect(await run(['config', 'check', 'config.yaml'], { cwd: folder })).toMatchObject({ code: 2 })
})
