import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { executable, run, temporaryFolder } from '../support/program.ts'

test.skipIf(process.platform !== 'linux')('service install --print shows the unit and changes nothing', async () => {
  const folder = temporaryFolder()
  const missing = await run(['service', 'install', 'master', '--print'], { cwd: folder })
  expect(missing).toMatchObject({ code: 2, output: expect.stringContaining('darkstream init') })
  await run(['init', '--yes'], { cwd: folder })
  const { code, output } = await run(['service', 'install', 'master', '--print'], { cwd: folder })
  expect(code).toBe(0)
  expect(output).toContain(`ExecStart="${executable}" "master" "--config" "${join(folder, 'config.yaml')}"`)
  const odd = await run(['service', 'install', 'master', '--print', '--user', 'a\nUser=root'], { cwd: folder })
  expect(odd.code).toBe(2)
})

test('a configuration that is wrong makes no service', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'config.yaml'), 'server: {port: x}\n')
  const { code, output } = await run(['service', 'install', 'worker', '--print'], { cwd: folder })
  expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining('server.port') })
})
