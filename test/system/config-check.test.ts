import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, start, temporaryFolder } from '../support/program.ts'

const pin = `sha256:${'0'.repeat(64)}`

function write(text: string): string {
  const file = join(temporaryFolder(), 'c.yaml')
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

test('config check ends with 2 for a contradiction, and so does every command that reads it', async () => {
  const file = write(`worker:\n  master_url: http://127.0.0.1:9\n  pin: ${pin}\n`)
  const line = `${file}:3: worker.pin: expected worker.master_url to be https://`
  expect(await run(['config', 'check', file])).toMatchObject({ code: 2, output: expect.stringContaining(line) })
  for (const args of [['worker'], ['master'], ['status'], ['config', 'show'], ['detect'], ['token', 'list']]) {
    const { code, output } = await run([...args, '--config', file])
    expect({ args, code, output }).toEqual({ args, code: 2, output: expect.stringContaining(line) })
  }
  const typed = await run(['worker', '--master', 'http://127.0.0.1:9', '--pin', pin])
  expect(typed).toEqual({
    code: 2,
    output: expect.stringMatching(/^darkstream: --pin: worker\.pin: expected .*https:\/\//),
  })
})

test('it warns of what this host lacks, and with --for ends with 1 where the role would not start, as the role does', async () => {
  const file = write(
    'server:\n  tls: {cert: /nowhere/cert.pem, key: /nowhere/key.pem}\nworker:\n  token_file: /nowhere/token\n',
  )
  const [cert, token] = [
    `${file}:2: server.tls_cert: cannot read /nowhere/cert.pem: there is no such file`,
    `${file}:4: worker.token_file: cannot read worker.token_file /nowhere/token: there is no such file`,
  ]
  const plain = await run(['config', 'check', file])
  expect(plain.code).toBe(0)
  expect(plain.output.split('\n').toSorted()).toEqual(
    [
      '',
      `${file} is right, with 2 warnings`,
      `darkstream: warning: ${cert}`,
      `darkstream: warning: ${token}`,
    ].toSorted(),
  )
  const master = await run(['config', 'check', file, '--for', 'master'])
  expect([master.code, master.output]).toEqual([1, expect.stringContaining(`darkstream: master: ${cert}`)])
  expect(master.output).toContain('no master would start with it here')
  expect(master.output).not.toContain(token)
  const worker = await run(['config', 'check', file, '--for', 'worker'])
  expect(worker).toMatchObject({ code: 1, output: expect.stringContaining(`darkstream: worker: ${token}`) })
  const json = await run(['config', 'check', file, '--for', 'worker', '--json'])
  expect([json.code, JSON.parse(json.output)]).toEqual([
    1,
    { file, faults: [], host_faults: [expect.objectContaining({ key: 'worker.token_file', line: 4 })], warnings: [] },
  ])
  expect(await run(['config', 'check', file, '--for', 'cook'])).toMatchObject({ code: 2 })

  const started = await run(['master', '--config', file])
  expect(started).toMatchObject({
    code: 1,
    output: expect.stringContaining('cannot read /nowhere/cert.pem: there is no such file'),
  })
  const working = await run(['worker', '--config', file])
  expect(working).toMatchObject({ code: 1, output: expect.stringContaining('/nowhere/token: there is no such file') })
})

test('a master says at its start what is doubtful, and how many tokens it does not ask for', async () => {
  const base = temporaryFolder()
  const environment = {
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SERVER_HOST: '0.0.0.0',
    DARKSTREAM_SERVER_DISCOVERY: 'false',
    DARKSTREAM_SERVER_TRUSTED_PROXIES: '0.0.0.0/0',
    DARKSTREAM_SCANNER_ROOT_PATH: base,
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(base, 'out'),
    DARKSTREAM_DATABASE_PATH: join(base, 'jobs.db'),
  }
  const closed = start(['master'], { environment })
  await closed.line(/master listening on/)
  expect(closed.output()).toMatch(/WARN .*DARKSTREAM_SERVER_TRUSTED_PROXIES.*0\.0\.0\.0\/0 is everybody/)
  closed.signal('SIGTERM')
  await closed.ended
  const open = start(['master', '--insecure'], { environment })
  await open.line(/master listening on/)
  expect(open.output()).toContain('may do everything here: nobody is asked for the 2 tokens that this queue has')
}, 60_000)
