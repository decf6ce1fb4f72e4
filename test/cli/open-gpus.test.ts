import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useGpus } from '../../src/cli/open-gpus.ts'
import { loadConfig } from '../../src/config/load.ts'
import { planPicture } from '../../src/pipeline/plan/video/picture.ts'
import { videoPaths } from '../../src/pipeline/plan/video/paths.ts'
import { createLog } from '../../src/util/log.ts'
import { script } from '../pipeline/prove/samples.ts'
import { gpu, settings, video } from '../pipeline/samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkstream-open-gpus-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a measurement under way is ended by a stop, with its ffmpeg and its folder', async () => {
  const [fifo, work_base] = [join(folder, 'fifo'), join(folder, 'work')]
  mkdirSync(work_base)
  Bun.spawnSync(['mkfifo', fifo])
  const ffmpeg_path = script(join(folder, 'ffmpeg'), [`echo $$ $MARK >'${fifo}'`, 'kill -STOP $$'])
  const tools = { ffmpeg_path, ffprobe_path: '/nonexistent/ffprobe', version: '9.0.2' }
  const told: string[] = []
  const write = (line: string) => void told.push(line)
  // Without a place it is not metered.
  const gpus = [gpu({ pci_address: null })]
  const { pool, stop } = useGpus(
    { mode: 'prefer', gpus, vulkan: null, problem: null, has_gpu: true },
    {
      config: loadConfig({ environment: {}, flags: {} }).config,
      tools,
      cache_path: join(folder, 'cache'),
      work_base,
      concurrency: 1,
      environment: { ...process.env, MARK: 'of-this-worker' },
      log: createLog({ level: 'info', format: 'text', output_path: null, write }),
    },
  )
  const picture = planPicture(video({ duration_seconds: 6000 }), settings())
  const { candidates } = videoPaths(picture, gpus)
  const ranking = pool.rank({ picture, settings: settings(), candidates }, new AbortController().signal)
  const [pid, mark] = (await readFile(fifo, 'utf8')).trim().split(' ')
  expect(mark).toBe('of-this-worker')
  expect(readdirSync(work_base)).toEqual([expect.stringMatching(/^darkstream-calibrate-/)])
  await stop()
  expect(readdirSync(work_base)).toEqual([])
  expect(existsSync(`/proc/${pid}`)).toBe(false)
  expect((await ranking).candidates).toHaveLength(candidates.length)
  expect(told.at(-1)).toContain('the paths could not be measured: the worker stops')
})
