import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { systemdNotifier } from '../../src/cli/notify.ts'
import { createLog } from '../../src/util/log.ts'
import { temporaryFolder } from '../support/program.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })

/** Listens where systemd would, and prints what it is told. Bun has no datagram sockets of this kind, perl has. */
const listener = `
use Socket; socket(my $s, PF_UNIX, SOCK_DGRAM, 0); bind($s, sockaddr_un($ARGV[0])); $| = 1; print "open\\n";
while (1) { recv($s, my $text, 4096, 0); print "$text\\n" if length $text }`

const isHere = Bun.which('systemd-notify') !== null && Bun.which('perl') !== null

test.skipIf(!isHere)('systemd hears that it is ready, that it lives while it is well, and that it stops', async () => {
  const path = join(temporaryFolder(), 'notify')
  const child = Bun.spawn(['perl', '-e', listener, path], { stdout: 'pipe', stderr: 'inherit' })
  try {
    const heard = linesOf(child.stdout)
    expect(await heard.next()).toMatchObject({ value: 'open' })
    let isWell = true
    const environment = { ...process.env, NOTIFY_SOCKET: path, WATCHDOG_USEC: '60000' }
    const notifier = systemdNotifier(environment, log, async () => isWell)
    notifier.ready()
    expect(await until(heard, 'READY=1')).toBe(true)
    expect(await until(heard, 'WATCHDOG=1')).toBe(true)
    isWell = false
    notifier.stopping()
    expect(await until(heard, 'STOPPING=1')).toBe(true)
  } finally {
    child.kill()
    await child.exited
  }
})

test('where systemd did not start us nothing is told to anybody', () => {
  const notifier = systemdNotifier({}, log, () => Promise.reject(new Error('not asked')))
  expect(() => (notifier.ready(), notifier.stopping())).not.toThrow()
})

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
}

async function until(lines: AsyncGenerator<string>, wanted: string): Promise<boolean> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) return false
    if (value === wanted) return true
  }
}
