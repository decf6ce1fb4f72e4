import { expect, test } from 'bun:test'
import { gpuReport, gpuState, onCpu, ranOn } from '../queue/gpu-samples.ts'
import { openMaster } from '../support/master.ts'

async function metricsOf({ app }: ReturnType<typeof openMaster>): Promise<string[]> {
  return (await (await app.request('/metrics')).text())
    .split('\n')
    .filter((line) => /^darkstream_\w*(gpu|path)/.test(line))
}

test('the use of each engine of each GPU is a figure by worker and GPU, and what no driver tells is left out', async () => {
  const master = openMaster()
  const silent = { usage: null, encoder_usage: null, decoder_usage: null }
  const gpus = [
    gpuState(),
    gpuState({ id: 'nvenc', name: 'a "GPU"', usage: 5, encoder_usage: null, decoder_usage: 0 }),
    gpuState({ id: 'vaapi:/dev/dri/renderD128', ...silent }),
  ]
  await master.remote.heartbeat({ worker_id: 'w', gpu_usage: 87.5, gpu_report: gpuReport({ gpus }) })
  await master.remote.heartbeat({ worker_id: 'without' })
  expect(await metricsOf(master)).toEqual([
    'darkstream_worker_gpu_info{worker="w",gpu="vulkan:0",name="a GPU"} 1',
    String.raw`darkstream_worker_gpu_info{worker="w",gpu="nvenc",name="a \"GPU\""} 1`,
    'darkstream_worker_gpu_info{worker="w",gpu="vaapi:/dev/dri/renderD128",name="a GPU"} 1',
    'darkstream_worker_gpu_set_aside{worker="w",gpu="vulkan:0"} 0',
    'darkstream_worker_gpu_set_aside{worker="w",gpu="nvenc"} 0',
    'darkstream_worker_gpu_set_aside{worker="w",gpu="vaapi:/dev/dri/renderD128"} 0',
    'darkstream_worker_gpu_usage_percent{worker="w",gpu="vulkan:0"} 87.5',
    'darkstream_worker_gpu_usage_percent{worker="w",gpu="nvenc"} 5',
    'darkstream_worker_gpu_encoder_usage_percent{worker="w",gpu="vulkan:0"} 40',
    'darkstream_worker_gpu_decoder_usage_percent{worker="w",gpu="vulkan:0"} 12',
    'darkstream_worker_gpu_decoder_usage_percent{worker="w",gpu="nvenc"} 0',
  ])
})

test('a worker that is offline has no figures of use', async () => {
  const master = openMaster()
  await master.remote.heartbeat({ worker_id: 'w', gpu_report: gpuReport() })
  master.clock.now += 120_000
  expect(await metricsOf(master)).toEqual([
    'darkstream_worker_gpu_info{worker="w",gpu="vulkan:0",name="a GPU"} 1',
    'darkstream_worker_gpu_set_aside{worker="w",gpu="vulkan:0"} 0',
  ])
})

test('completions and fallbacks are counted by path; one without a GPU has no device', async () => {
  const master = openMaster()
  for (const [index, ran_on] of [ranOn(), onCpu(), ranOn(), onCpu({ fell_back: false }), onCpu()].entries()) {
    await master.addSource(`${index}.mkv`)
    const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: `${index}` })
    const output_size = master.stage(job?.staging_path ?? '', 'result')
    await master.remote.complete({ job_id: job?.id ?? '', worker_id: 'w', attempt: 1, output_size, ran_on })
  }
  expect(await metricsOf(master)).toEqual([
    'darkstream_completed_jobs_by_path{encoder="libx264",decode="cpu",filter="cpu"} 3',
    'darkstream_completed_jobs_by_path{encoder="h264_vulkan",decode="vulkan",filter="vulkan",device="a GPU"} 2',
    'darkstream_fallbacks_by_path{encoder="libx264",decode="cpu",filter="cpu"} 2',
    'darkstream_fallbacks_by_path{encoder="h264_vulkan",decode="vulkan",filter="vulkan",device="a GPU"} 0',
  ])
})
