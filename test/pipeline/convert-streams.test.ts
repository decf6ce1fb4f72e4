import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Container } from '../../src/contract/conversion.ts'
import type { MediaInfo } from '../../src/pipeline/probe/media-info.ts'
import { testFfmpegs } from '../support/ffmpegs.ts'
import { picture, useStreamStudio, x264 } from '../support/stream-clips.ts'

setDefaultTimeout(120_000)
const studio = useStreamStudio()
let everything: string

const file = (name: string, text: string) => {
  const path = join(studio.folder, name)
  writeFileSync(path, text)
  return path
}
const ass = [
  '[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]',
  'Format: Name, Fontname, Fontsize, PrimaryColour, Bold\nStyle: Default,Serif,28,&H00FFFFFF,0\n\n[Events]',
  'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text',
  'Dialogue: 0,0:00:00.20,0:00:00.80,Default,,0,0,0,,Styled',
  // A line that draws and says nothing.
  'Dialogue: 0,0:00:00.30,0:00:00.80,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n',
].join('\n')
const srt = '1\n00:00:00,100 --> 00:00:00,900\nGrüße\n\n'
const chapters = [
  ';FFMETADATA1\ntitle=A film\nartist=Someone\ncreation_time=2019-12-20T17:08:32.000000Z\nlocation=+48.1234+011.5678/\n',
  '[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\n',
].join('')

beforeAll(async () => {
  const cover = await studio.make('cover.jpg', ['-f', 'lavfi', '-i', 'testsrc2=s=96x96:d=1', '-frames:v', '1'])
  const font = file('serif.ttf', 'not quite a font')
  everything = await studio.make(
    'everything.mkv',
    [
      [...picture, '-f', 'lavfi', '-i', 'sine=d=1', '-f', 'lavfi', '-i', 'sine=f=880:d=1'],
      ['-i', file('a.srt', srt), '-i', file('a.ass', ass), '-i', file('chapters.txt', chapters)],
      ['-map', '0', '-map', '1', '-map', '2', '-map', '3', '-map', '4', '-map_metadata', '5', '-map_chapters', '5'],
      [...x264, '-c:a:0', 'ac3', '-c:a:1', 'aac', '-b:a:1', '64k', '-c:s:0', 'srt', '-c:s:1', 'ass'],
      ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:0', 'title=Main', '-metadata:s:a:0', 'BPS=999'],
      ['-metadata:s:a:1', 'language=deu', '-metadata:s:a:1', 'title=Kommentar', '-metadata:s:a:1', 'BPS=64000'],
      ['-metadata:s:s:0', 'language=eng', '-metadata:s:s:1', 'language=jpn'],
      ['-disposition:a:0', 'default', '-disposition:a:1', 'comment'],
      ['-disposition:s:0', 'hearing_impaired', '-disposition:s:1', 'default+forced'],
      ['-attach', font, '-metadata:s:t:0', 'mimetype=application/x-truetype-font', '-attach', cover, '-metadata:s:t:1'],
      ['mimetype=image/jpeg', '-metadata:s:t:1', 'filename=cover.jpg'],
    ].flat(),
  )
})

/** What there is, one line a stream: kind, codec, language, title, flags. */
function listed({ streams }: MediaInfo): string[] {
  return streams.map((stream) => {
    const { kind, codec, language, title, dispositions } = stream
    return [kind, codec, language, title, dispositions.join('+')]
      .filter((word) => word !== null && word !== '')
      .join(' ')
  })
}

describe.each(testFfmpegs)('a file with everything, by %s,', (_, program) => {
  test('keeps all but the font and the styling in mp4', async () => {
    const { info, notes, chapters: times, tags } = await studio.convert(program, everything)
    expect(listed(info)).toEqual([
      'video h264 default',
      'audio aac eng Main default',
      'audio aac deu Kommentar comment',
      'subtitle mov_text eng hearing_impaired+captions',
      'subtitle mov_text jpn default+forced',
      // The titles of the chapters.
      'data bin_data eng',
      'video mjpeg attached_pic',
    ])
    expect(times).toEqual([
      [0, 'One'],
      [0.5, ''],
    ])
    expect(tags).toMatchObject({
      title: 'A film',
      artist: 'Someone',
      creation_time: '2019-12-20T17:08:32.000000Z',
      location: '+48.1234+011.5678/',
    })
    expect(notes).toEqual([
      'subtitle track 2 lost its styling, and cues that overlap are shortened: mp4 holds text as mov_text only',
      'subtitle track 1 keeps no colours or positions, and cues that overlap are shortened: mp4 holds text as mov_text only',
      '1 attachment was dropped: mp4 holds no attachments',
    ])
  })

  test('keeps all of it in mkv, without figures that are no longer true', async () => {
    const { info, notes, stream_tags: tags } = await studio.convert(program, everything, { container: 'mkv' })
    expect(listed(info)).toEqual([
      'video h264',
      'audio aac eng Main default',
      'audio aac deu Kommentar comment',
      'subtitle subrip eng hearing_impaired',
      'subtitle ass jpn default+forced',
      'attachment ttf',
      'video mjpeg attached_pic',
    ])
    expect(info.streams.slice(5)).toMatchObject([
      { file_name: 'serif.ttf', media_type: 'application/x-truetype-font' },
      { file_name: 'cover.jpg' },
    ])
    expect(info.chapter_count).toBe(2)
    expect(tags[1]).not.toContainKey('BPS')
    expect(notes).toEqual([])
  })

  test('keeps what mov holds', async () => {
    const { info, notes } = await studio.convert(program, everything, { container: 'mov' })
    expect(listed(info).slice(0, 5)).toEqual([
      'video h264 default',
      'audio aac eng Main default',
      'audio aac ger Kommentar',
      'subtitle mov_text eng',
      'subtitle mov_text jpn default',
    ])
    expect(notes).toEqual([
      'audio track 2 lost its flag comment, which mov does not hold',
      'subtitle track 2 lost its styling, and cues that overlap are shortened: mov holds text as mov_text only',
      'subtitle track 1 keeps no colours or positions, and cues that overlap are shortened: mov holds text as mov_text only',
      'subtitle track 1 lost its flag hearing_impaired, which mov does not hold',
      'subtitle track 2 lost its flag forced, which mov does not hold',
      '1 attachment was dropped: mov holds no attachments',
      '1 cover picture was dropped: mov holds no cover art',
    ])
  })

  test('keeps what webm holds', async () => {
    const wanted = { container: 'webm', codec: 'vp9', audio_codec: 'opus' } as const
    const { info } = await studio.convert(program, everything, wanted)
    expect(listed(info)).toEqual([
      'video vp9',
      'audio opus eng Main default',
      'audio opus deu Kommentar',
      'subtitle webvtt eng',
      'subtitle webvtt jpn default+forced',
    ])
  })

  test.each(['mp4', 'mkv'] as const)(
    'comes back whole from mp4 to %s, cover and titles too',
    async (container: Container) => {
      const { path } = await studio.convert(program, everything)
      const { info, stream_tags: tags } = await studio.convert(program, path, { container })
      expect(listed(info).filter((line) => !line.startsWith('data'))).toEqual([
        'video h264 default',
        'audio aac eng Main default',
        'audio aac deu Kommentar comment',
        `subtitle ${container === 'mp4' ? 'mov_text' : 'subrip'} eng hearing_impaired${container === 'mp4' ? '+captions' : ''}`,
        `subtitle ${container === 'mp4' ? 'mov_text' : 'subrip'} jpn default+forced`,
        'video mjpeg attached_pic',
      ])
      expect(info.chapter_count).toBe(2)
      if (container === 'mkv') expect(Object.keys(tags[1] ?? {})).not.toContain('HANDLER_NAME')
    },
  )
})

describe.each(testFfmpegs)('text with colours and positions whose cues overlap, by %s,', (_, program) => {
  const cues = [
    '1\n00:00:00,000 --> 00:00:00,900\n<font color="#ff0000">Red</font> <i>slanted</i>\n',
    '2\n00:00:00,300 --> 00:00:00,600\n{\\an8}Above\n\n',
  ].join('\n')

  test.each([
    ['mp4', ['0.300000', '0.300000'], ', and cues that overlap are shortened'],
    ['webm', ['0.900000', '0.300000'], ''],
    ['mkv', ['0.900000', '0.300000'], null],
  ] as const)('is told what of it %s does not hold', async (container, lengths, ends) => {
    const twice = ['-map', '0', '-map', '1', '-map', '1']
    const source = await studio.make('cues.mkv', [
      ...picture,
      '-i',
      file('cues.srt', cues),
      ...twice,
      ...x264,
      '-c:s',
      'srt',
    ])
    const wanted = container === 'webm' ? ({ container, codec: 'vp9', audio_codec: 'opus' } as const) : { container }
    const { path, notes } = await studio.convert(program, source, wanted)
    const target = container === 'webm' ? 'webvtt' : 'mov_text'
    expect(notes).toEqual(
      ends === null
        ? []
        : [`2 subtitle tracks keep no colours or positions${ends}: ${container} holds text as ${target} only`],
    )
    const text = await studio.subtitles(path)
    expect(text.durations.filter((length) => Number(length) > 0).slice(0, 2)).toEqual([...lengths])
    expect(text.srt).toContain('<i>slanted</i>')
    expect([text.srt.includes('#ff0000'), text.srt.includes('an8')]).toEqual([ends === null, ends === null])
  })
})

describe.each(testFfmpegs)('a clip of a phone, by %s,', (_, program) => {
  test.each(['mp4', 'mov'] as const)('keeps its place and time in %s', async (container) => {
    const apple = ['make=Apple', 'model=Phone', 'location.ISO6709=+48.1000+011.5000/']
    const clip = await studio.make('phone.mov', [
      ...picture,
      ...x264,
      '-movflags',
      'use_metadata_tags',
      ...apple.flatMap((tag) => ['-metadata', `com.apple.quicktime.${tag}`]),
    ])
    const { tags } = await studio.convert(program, clip, { container })
    expect(tags).toMatchObject({ location: '+48.1000+011.5000/' })
    if (container === 'mov') expect(tags).toMatchObject({ make: 'Apple', model: 'Phone' })
  })
})

describe.each(testFfmpegs)('sound that is already right, by %s,', (_, program) => {
  test('is copied from mkv too, which does not tell its bit rate, bit for bit', async () => {
    const rates = ['-b:a:0', '64k', '-b:a:1', '256k']
    const sounds = ['-f', 'lavfi', '-i', 'anoisesrc=d=1:c=pink:r=48000', '-map', '0', '-map', '1', '-map', '1']
    const source = await studio.make('rates.mkv', [...picture, ...sounds, ...x264, '-c:a', 'aac', '-ac', '2', ...rates])
    const { path, info } = await studio.convert(program, source)
    expect(await studio.packets(path, 0)).toEqual(await studio.packets(source, 0))
    expect(await studio.packets(path, 1)).not.toEqual(await studio.packets(source, 1))
    expect(info.streams.slice(1)).toMatchObject([{ codec: 'aac' }, { codec: 'aac' }])
  })
})
