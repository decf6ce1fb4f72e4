import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { script } from '../pipeline/prove/samples.ts'
import { lacks, vulkanEnvironment } from '../support/vulkan.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-build-worker-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const main = join(import.meta.dir, '..', '..', 'src', 'main.ts')

/** Starts a command whose ffmpeg stands still as soon as a GPU is tried. */
async function stuck(name: string, args: (base: string) => string[]) {
  const base = join(folder, name)
  const [cache, fifo] = [join(base, 'cache'), join(base, 'fifo')]
  mkdirSync(join(base, 'in'), { recursive: true })
  Bun.spawnSync(['mkfifo', fifo])
  script(join(base, 'ffprobe'), [])
  const ffmpeg = script(join(base, 'ffmpeg'), [
    'case " $* " in *" -version "*) echo "ffmpeg version 9.0.2 Copyright"; exit ;; esac',
    `echo $$ $DARKSTREAM_WORKER >'${fifo}'`,
    'kill -STOP $$',
  ])
  const child = Bun.spawn([process.execPath, main, ...args(base)], {
    cwd: base,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...vulkanEnvironment(),
      DARKSTREAM_FFMPEG_PATH: ffmpeg,
      DARKSTREAM_VULKAN_PREFERRED_DEVICE: 'llvmpipe',
      DARKSTREAM_STORAGE_CACHE_PATH: cache,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [pid, mark] = (await readFile(fifo, 'utf8')).trim().split(' ')
  const work = readdirSync(cache).find((entry) => entry.startsWith('worker-'))
  return { child, pid: Number(pid), mark, work_base: join(cache, work ?? '') }
}

describe.skipIf(lacks('lavapipe', 'loader'))('a stop while the GPUs are tried', () => {
  test('ends a worker, its ffmpeg and the folder that this wrote to', async () => {
    const { child, pid, mark, work_base } = await stuck('worker', () => [
      'worker',
      '--master-url',
      'http://127.0.0.1:9',
    ])
    // A later start finds what a dead worker left by these two.
    expect(mark).toBe(work_base)
    expect(readdirSync(work_base).filter((entry) => entry.startsWith('darkstream-prove-'))).toHaveLength(1)
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
    expect(await new Response(child.stdout).text()).toBe('')
    const told = await new Response(child.stderr).text()
    expect(told).toContain('stopped before it began')
    // No stack trace: the two lines are which ffmpeg it is, and that it stopped.
    expect(told.trim().split('\n')).toHaveLength(2)
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(readdirSync(work_base)).toEqual([])
  })

  test('ends a start with its summary', async () => {
    const { child, pid, work_base } = await stuck('start', (base) => ['start', 'in', join(base, 'out'), '--once'])
    child.kill('SIGINT')
    expect(await child.exited).toBe(1)
    expect(await new Response(child.stdout).text()).toContain('stopped before the end')
    expect(await new Response(child.stderr).text()).toBe('')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(readdirSync(work_base)).toEqual([])
  })
})
