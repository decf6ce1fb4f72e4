import { describe, expect, test } from 'bun:test'
import type { ConversionSettings } from '../../../src/contract/conversion.ts'
import { ffmpegArgs, ffmpegRuns } from '../../../src/pipeline/encode/ffmpeg-args.ts'
import { inputLimits } from '../../../src/pipeline/ffmpeg/input-limits.ts'
import { planConversion } from '../../../src/pipeline/plan.ts'
import type { PathCandidate } from '../../../src/pipeline/plan/video/paths.ts'
import type { MediaInfo } from '../../../src/pipeline/probe/media-info.ts'
import { audio, data, gpu, media, settings, subtitle, video } from '../samples.ts'

function argsOf(changes: Partial<ConversionSettings>, source: MediaInfo = media()): string[] {
  return ffmpegArgs(planConversion(source, settings(changes)), '/scratch/7/in', '/staging/7/out')
}

/** What every conversion begins with, up to the streams. */
const head = [
  ['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-progress', 'pipe:1'],
  ['-stats_period', '0.5', '-y', ...inputLimits, '-i', 'file:/scratch/7/in'],
].flat()
const timing = ['-fps_mode:v:0', 'passthrough', '-enc_time_base:v:0', '1:12800']
// Matroska cannot hide what an edit list hides.
const withoutHidden = String.raw`noise=drop=lt(pts+2*duration\,0)*not(eq(pts\,nopts))`
const aac = ['-filter:a:0', 'aresample=async=1', '-c:a:0', 'aac', '-b:a:0', '128000']

test('h264 and aac in mp4', () => {
  expect(argsOf({})).toEqual(
    [
      head,
      ['-map', '0:0', '-map', '0:1', '-map_metadata', '0', '-map_chapters', '0'],
      ['-filter:v:0', 'scale=w=1920:h=1080,setsar=1,format=yuv420p', ...timing],
      ['-c:v:0', 'libx264', '-preset', 'fast', '-b:v', '2000000', ...aac],
      ['-max_muxing_queue_size', '9999', '-movflags', '+faststart', '-write_tmcd', '0'],
      ['-f', 'mp4', 'file:/staging/7/out'],
    ].flat(),
  )
})

test('hevc in mp4 has the tag that Apple looks for; 10 bits, interlaced, no sound', () => {
  const source = media([video({ bit_depth: 10, is_interlaced: true })])
  expect(argsOf({ codec: 'hevc', preset: 'veryslow' }, source)).toEqual(
    [
      head,
      ['-map', '0:0', '-map_metadata', '0', '-map_chapters', '0'],
      '-filter:v:0',
      'bwdif=mode=send_frame:parity=auto:deint=interlaced,scale=w=1920:h=1080,setsar=1,format=yuv420p10le',
      timing,
      ['-c:v:0', 'libx265', '-preset', 'veryslow', '-x265-params', 'log-level=error', '-b:v', '2000000'],
      ['-tag:v:0', 'hvc1'],
      ['-max_muxing_queue_size', '9999', '-movflags', '+faststart', '-write_tmcd', '0'],
      ['-f', 'mp4', 'file:/staging/7/out'],
    ].flat(),
  )
})

test('HDR whose light is told of, made SDR: no stream of the source is the film, and all tags are asked for', () => {
  const color = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
  const light = { max_content: 1000, max_average: 400 }
  const hdr = { mastering: null, light, dolby_vision: null, has_hdr10_plus: false }
  const film = video({ index: 2, bit_depth: 10, color, hdr, dispositions: ['default', 'original'] })
  const sound = [audio({ index: 0, codec: 'dts' }), audio({ index: 3 })]
  const args = argsOf({ container: 'mkv', audio_codec: 'copy' }, media([...sound, film, subtitle({ index: 4 })]))
  const { filters } = planConversion(media([film]), settings({ container: 'mkv' })).video
  expect(args.slice(head.length)).toEqual(
    [
      ['-map', '[film]', '-map', '0:0', '-map', '0:3', '-map', '0:4', '-map_metadata', '0', '-map_chapters', '0'],
      ['-filter_complex', `[0:2]nullsink;[0:2]${filters.join(',')}[film]`, ...timing],
      ['-c:v:0', 'libx264', '-preset', 'fast', '-b:v', '2000000'],
      [0, 1].flatMap((track) => [`-c:a:${track}`, 'copy', `-bsf:a:${track}`, withoutHidden]),
      ['-c:s:0', 'copy'],
      ['-map_metadata:s:0', '0:s:2', '-metadata:s:0', 'encoder=', '-map_metadata:s:1', '0:s:0'],
      ['-map_metadata:s:2', '0:s:3', '-map_metadata:s:3', '0:s:4'],
      ['-disposition:v:0', 'default+original', '-disposition:a:0', '0', '-disposition:a:1', '0'],
      ['-max_muxing_queue_size', '9999', '-f', 'matroska', 'file:/staging/7/out'],
    ].flat(),
  )
})

test('HDR that tells nothing of its light is made SDR as any film', () => {
  const color = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
  expect(argsOf({}, media([video({ bit_depth: 10, color })]))).toContain('-filter:v:0')
})

test('hevc in mkv has no such tag; two sound tracks, one of them after a dropped stream', () => {
  const source = media([video(), audio({ sample_rate: 96_000 }), data({ index: 2 }), audio({ index: 3 })])
  expect(argsOf({ codec: 'hevc', container: 'mkv' }, source)).toEqual(
    [
      head,
      ['-map', '0:0', '-map', '0:1', '-map', '0:3', '-map_metadata', '0', '-map_chapters', '0'],
      ['-filter:v:0', 'scale=w=1920:h=1080,setsar=1,format=yuv420p', ...timing],
      ['-c:v:0', 'libx265', '-preset', 'fast', '-x265-params', 'log-level=error', '-b:v', '2000000'],
      [...aac, '-ar:a:0', '48000'],
      ['-filter:a:1', 'aresample=async=1', '-c:a:1', 'aac', '-b:a:1', '128000'],
      ['-disposition:a:0', '0', '-disposition:a:1', '0'],
      ['-max_muxing_queue_size', '9999', '-f', 'matroska', 'file:/staging/7/out'],
    ].flat(),
  )
})

test('av1 and copied sound in mkv, from a variable rate on a fine grid', () => {
  const source = media([video({ average_rate: 29.5, nominal_rate: 1000 }), audio({ codec: 'dts' })])
  expect(argsOf({ codec: 'av1', audio_codec: 'copy', container: 'mkv' }, source)).toEqual(
    [
      head,
      ['-map', '0:0', '-map', '0:1', '-map_metadata', '0', '-map_chapters', '0'],
      ['-filter:v:0', 'scale=w=1920:h=1080,setsar=1,format=yuv420p', ...timing],
      ['-c:v:0', 'libsvtav1', '-preset', '8', '-svtav1-params', 'fps-num=29500:fps-denom=1000', '-b:v', '2000000'],
      ['-c:a:0', 'copy', '-bsf:a:0', withoutHidden],
      ['-max_muxing_queue_size', '9999', '-f', 'matroska', 'file:/staging/7/out'],
    ].flat(),
  )
})

test('vp9 and opus in webm, from 5.1 as film discs have it', () => {
  const source = media([video(), audio({ codec: 'ac3', channels: 6, channel_layout: '5.1(side)' })])
  expect(argsOf({ codec: 'vp9', audio_codec: 'opus', container: 'webm' }, source)).toEqual(
    [
      [...head.slice(0, 10), '-drc_scale:1', '0', ...head.slice(10)],
      ['-map', '0:0', '-map', '0:1', '-map_metadata', '0', '-map_chapters', '0'],
      ['-filter:v:0', 'scale=w=1920:h=1080,setsar=1,format=yuv420p', ...timing],
      ['-c:v:0', 'libvpx-vp9', '-deadline', 'good', '-cpu-used', '3', '-row-mt', '1', '-b:v', '2000000'],
      ['-filter:a:0', 'aresample=async=1,pan=5.1|FL=FL|FR=FR|FC=FC|LFE=LFE|BL=SL|BR=SR'],
      ['-c:a:0', 'libopus', '-b:a:0', '384000'],
      ['-max_muxing_queue_size', '9999', '-f', 'webm', 'file:/staging/7/out'],
    ].flat(),
  )
})

function x264Pass(number: string): string[] {
  const log = ['-pass', number, '-passlogfile', '/scratch/7/pass']
  return ['-c:v:0', 'libx264', '-preset', 'fast', ...log, '-b:v', '2000000']
}

describe('two passes', () => {
  const paths = { input: '/scratch/7/in', output: '/staging/7/out', work_folder: '/scratch/7' }

  function runsOf(changes: Partial<ConversionSettings>): string[][] {
    return ffmpegRuns(planConversion(media(), settings({ two_pass: true, ...changes })), paths)
  }

  test('are two runs: the film alone to nowhere, then all of it', () => {
    const filter = ['-filter:v:0', 'scale=w=1920:h=1080,setsar=1,format=yuv420p', ...timing]
    expect(runsOf({})).toEqual([
      [...head, '-map', '0:0', ...filter, ...x264Pass('1'), '-f', 'null', '-'],
      [
        [...head, '-map', '0:0', '-map', '0:1', '-map_metadata', '0', '-map_chapters', '0'],
        [...filter, ...x264Pass('2'), ...aac],
        ['-max_muxing_queue_size', '9999', '-movflags', '+faststart', '-write_tmcd', '0'],
        ['-f', 'mp4', 'file:/staging/7/out'],
      ].flat(),
    ])
  })

  test('of libvpx begin on an even grid, beside bare frames by which their progress shows', () => {
    const [first, second] = runsOf({ codec: 'vp9' })
    expect(first?.join(' ')).toEndWith(
      [
        '-map 0:0 -filter:v:0 scale=w=1920:h=1080,setsar=1,format=yuv420p,setpts=N*1000/(25000*TB) -fps_mode:v:0 passthrough',
        '-enc_time_base:v:0 1000:25000 -c:v:0 libvpx-vp9 -deadline good -cpu-used 3 -row-mt 1 -pass 1',
        '-passlogfile /scratch/7/pass -maxrate 2147483647 -b:v 2000000 -f null -',
        '-map 0:0 -fps_mode:v passthrough -c:v wrapped_avframe -f null -',
      ].join(' '),
    )
    expect(second?.join(' ')).toContain('format=yuv420p -fps_mode:v:0 passthrough -enc_time_base:v:0 1:12800 ')
  })

  test('are one run where they make no sense', () => {
    expect(runsOf({ quality: 60 })).toEqual([argsOf({ quality: 60 })])
    expect(runsOf({ codec: 'av1' })).toEqual([argsOf({ codec: 'av1' })])
  })
})

/** The argv of a path on a card that ffmpeg knows by the number 2; all of it runs there unless told. */
function on(path: Partial<PathCandidate>): string[] {
  const card = gpu({ selector: '2' })
  const proof = card.capabilities[0] ?? null
  const whole = {
    decode: 'vulkan',
    filter: 'vulkan',
    encoder: 'h264_vulkan',
    device: 'Card',
    gpu: card,
    proof,
  } as const
  const box = { width: 1280, height: 720 }
  const plan = planConversion(media(), settings({ target_resolution: box }), { ...whole, ...path })
  return ffmpegArgs(plan, '/scratch/7/in', '/staging/7/out')
}

describe('a path on a GPU', () => {
  const device = ['-init_hw_device', 'vulkan=gpu:2', '-filter_hw_device', 'gpu']
  const decode = ['-threads', '1', '-hwaccel', 'vulkan', '-hwaccel_device', 'gpu', '-hwaccel_output_format', 'vulkan']
  const tail = [
    [...aac, '-max_muxing_queue_size', '9999', '-movflags', '+faststart', '-write_tmcd', '0'],
    ['-f', 'mp4', 'file:/staging/7/out'],
  ].flat()
  const streams = ['-map', '0:0', '-map', '0:1', '-map_metadata', '0', '-map_chapters', '0']
  const vulkanEncoder = [
    ['-c:v:0', 'h264_vulkan', '-quality', '2', '-tune', 'hq', '-usage', 'transcode'],
    ['-rc_mode', 'vbr', '-b:v', '2000000', '-maxrate', '4000000', '-bufsize', '4000000'],
  ].flat()

  test('all of it: opened by its number, decoded in one thread, never downloaded', () => {
    expect(on({})).toEqual(
      [
        [...head.slice(0, 10), ...device, ...decode, ...head.slice(10), ...streams],
        ['-filter:v:0', 'scale_vulkan=w=1280:h=720,setparams=range=tv,setsar=1', ...timing, ...vulkanEncoder, ...tail],
      ].flat(),
    )
  })

  test('decoded and scaled there, encoded on the CPU', () => {
    const filters = 'scale_vulkan=w=1280:h=720,setparams=range=tv,hwdownload,format=nv12,setsar=1,format=yuv420p'
    expect(on({ encoder: 'libx264', proof: null })).toEqual(
      [
        [...head.slice(0, 10), ...device, ...decode, ...head.slice(10), ...streams],
        ['-filter:v:0', filters, ...timing, '-c:v:0', 'libx264', '-preset', 'fast', '-b:v', '2000000', ...tail],
      ].flat(),
    )
  })

  test('decoded on the CPU, uploaded and encoded there', () => {
    expect(on({ decode: 'cpu', filter: 'cpu' })).toEqual(
      [
        [...head.slice(0, 10), ...device, ...head.slice(10), ...streams],
        ['-filter:v:0', 'scale=w=1280:h=720,setsar=1,format=nv12,hwupload', ...timing, ...vulkanEncoder, ...tail],
      ].flat(),
    )
  })

  test('by VAAPI, on the render node that was proved', () => {
    const args = on({
      decode: 'cpu',
      filter: 'cpu',
      encoder: 'h264_vaapi',
      proof: null,
      gpu: gpu({ api: 'vaapi', selector: '/dev/dri/renderD129' }),
    })
    expect(args.slice(10, 14)).toEqual(['-init_hw_device', 'vaapi=gpu:/dev/dri/renderD129', '-filter_hw_device', 'gpu'])
    expect(args).toContain('scale=w=1280:h=720,setsar=1,format=nv12,hwupload')
  })

  test('by NVENC, which opens its card itself', () => {
    const args = on({ decode: 'cpu', filter: 'cpu', encoder: 'h264_nvenc', proof: null, gpu: gpu({ api: 'nvenc' }) })
    expect(args).not.toContain('-init_hw_device')
    expect(args).toContain('scale=w=1280:h=720,setsar=1,format=nv12')
  })
})

test.each([
  ['ultrafast', '10', 'realtime', '8'],
  ['medium', '7', 'good', '2'],
  ['veryslow', '3', 'good', '0'],
] as const)('the preset %s is %s to SVT-AV1, and %s %s to libvpx', (preset, svt, deadline, speed) => {
  expect(argsOf({ codec: 'av1', preset })).toContain(svt)
  const vpx = argsOf({ codec: 'vp9', preset })
  expect(vpx.slice(vpx.indexOf('-deadline')).slice(0, 4)).toEqual(['-deadline', deadline, '-cpu-used', speed])
})
