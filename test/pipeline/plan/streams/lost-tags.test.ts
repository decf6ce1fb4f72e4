import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { lostTagNotes } from '../../../../src/pipeline/plan/streams/lost-tags.ts'
import { testFfmpegs } from '../../../support/ffmpegs.ts'
import { picture, useStreamStudio, x264 } from '../../../support/stream-clips.ts'
import { data, media, video } from '../../samples.ts'

setDefaultTimeout(120_000)
const studio = useStreamStudio()
const film = video()

test.each([
  [['custom_tag'], '1 tag was dropped: mp4 has no place for custom_tag'],
  [['custom_tag', 'TIMECODE'], '2 tags were dropped: mp4 has no place for custom_tag, TIMECODE'],
  [['a', 'b', 'c', 'd', 'e'], '5 tags were dropped: mp4 has no place for a, b, c, d, e'],
  [['a', 'b', 'c', 'd', 'e', 'f', 'g'], '7 tags were dropped: mp4 has no place for a, b, c, d, e and 2 more'],
  [['Sage', 'SAGE'], '1 tag was dropped: mp4 has no place for Sage'],
  [['make', 'com.apple.quicktime.make'], '1 tag was dropped: mp4 has no place for make'],
  [['album-fra'], '1 tag was dropped: mp4 has no place for album-fra'],
  [['a\n\u202Eb\u0000'], '1 tag was dropped: mp4 has no place for a b'],
  [['\u200B'], '1 tag was dropped: mp4 has no place for one without a name'],
  [['x'.repeat(9999)], `1 tag was dropped: mp4 has no place for ${'x'.repeat(60)}`],
] as const)('of the tags %j it is told: %s', (names, note) => {
  expect(lostTagNotes(media([film], { tag_names: names }), film, 'mp4')).toEqual([note])
})

test.each([
  ['what mp4 holds, in any case', ['title', 'ARTIST', 'Album', 'creation_time', 'episode_id']],
  ['a place that Apple names', ['com.apple.quicktime.location.ISO6709']],
  ['translations', ['title', 'title-eng', 'title-fra', 'location-eng', 'location']],
  ['what files say of themselves', ['major_brand', 'MINOR_VERSION', 'compatible_brands', 'encoder', 'ENCODER']],
  ['statistics', ['_STATISTICS_WRITING_APP', 'BPS', 'DURATION-eng', 'NUMBER_OF_FRAMES']],
])('nothing is told of %s', (_, names) => {
  expect(lostTagNotes(media([film], { tag_names: names }), film, 'mp4')).toEqual([])
})

test('mov has fewer places, but those of cameras', () => {
  const source = media([film], { tag_names: ['com.apple.quicktime.make', 'model', 'show', 'disc'] })
  expect(lostTagNotes(source, film, 'mov')).toEqual(['2 tags were dropped: mov has no place for show, disc'])
})

test.each(['mkv', 'webm'] as const)('%s takes every tag', (container) => {
  expect(lostTagNotes(media([film], { tag_names: ['custom_tag', 'TIMECODE'] }), film, container)).toEqual([])
})

test('a time code of the film is told of, but once: not where its track is', () => {
  const coded = video({ tag_names: ['timecode'] })
  const note = '1 tag was dropped: mp4 has no place for timecode'
  expect(lostTagNotes(media([coded]), coded, 'mp4')).toEqual([note])
  expect(lostTagNotes(media([coded, data({ codec_tag: 'tmcd' })]), coded, 'mp4')).toEqual([])
})

/** Beside times and places, whose values have a form; and without those that FFmpeg writes but does not read. */
const written = {
  mp4: [
    'title artist album_artist composer album date comment genre copyright grouping lyrics description synopsis show',
    'episode_id episode_sort season_number network keywords track disc compilation gapless_playback hd_video media_type',
  ].join(' '),
  mov: 'title artist album date comment genre copyright make model',
}

describe.each(testFfmpegs)('tags of an mkv, by %s,', (_, program) => {
  test.each(['mp4', 'mov', 'mkv'] as const)('are in %s, or told of', async (container) => {
    const kept = (container === 'mkv' ? written.mp4 : written[container]).split(' ')
    const lost = ['custom_tag', 'publisher', 'SUMMARY', ...(container === 'mov' ? ['show'] : [])]
    const tags = [...kept, ...lost].flatMap((name) => ['-metadata', `${name}=7`])
    const timed = ['-metadata:s:v:0', 'timecode=01:00:00:00', '-disposition:v:0', 'default+original']
    const source = await studio.make(`tags-${container}.mkv`, [...picture, ...x264, ...tags, ...timed])
    const result = await studio.convert(program, source, { container })
    const names = new Set(Object.keys(result.tags).map((name) => name.toLowerCase()))
    expect(kept.filter((name) => !names.has(name))).toEqual([])
    expect(lost.some((name) => names.has(name.toLowerCase()))).toBe(container === 'mkv')
    const told = [...lost.map((name) => name.toUpperCase()), 'TIMECODE']
    expect(result.notes.map(sorted)).toEqual(
      container === 'mkv'
        ? []
        : [
            `the film lost its flag original, which ${container} does not hold`,
            `${told.length} tags were dropped: ${container} has no place for ${told.join(', ')}`,
          ].map(sorted),
    )
    expect(result.info.streams[0]?.dispositions.includes('original')).toBe(container === 'mkv')
  })
})

/** Matroska tells tags in an order of its own. */
function sorted(note: string): string[] {
  return note.split(/, | /).toSorted()
}
