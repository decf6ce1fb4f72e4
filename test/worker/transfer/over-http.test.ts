import { expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../../support/clips.ts'
import { openMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { openWorker, workUntil } from '../open-worker.ts'
import { openFiles, serve } from './open-files.ts'

const clips = useClips()

test('a worker converts over HTTP what it cannot see, and the job tells that it came so', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const work_base = temporaryFolder()
  const job_id = await master.addSource('films/a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const files = openFiles({ api, transfer, work_base })
  const { worker, lines } = openWorker(api, { work_base, files })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', ran_on: { files: 'http' } })
  expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  expect(lines.filter((line) => /WARN|ERROR/.test(line))).toEqual([])
  expect(readdirSync(join(work_base, 'sources'))).toHaveLength(1)
  expect(readdirSync(join(work_base, 'results'))).toEqual([])
  expect(existsSync(join(master.output_base, '.darkstream', 'work', `${job_id}.1`))).toBe(false)
})
