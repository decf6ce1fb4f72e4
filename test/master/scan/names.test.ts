import { expect, test } from 'bun:test'
import { isFolderName, isVideoName } from '../../../src/master/scan/names.ts'

const isVideo = (name: string) => isVideoName(name, ['.mp4', '.mkv', '.tmp'])

test.each([
  'a.mp4',
  'A.MP4',
  'a.b.MkV',
  '-lead.mp4',
  '%03d.mp4',
  'new\nline.mp4',
  'q"\'u.mp4',
  '🎬.mp4',
  'part.mp4',
  'film.part1.mkv',
  'my.download.mp4',
])('a name is a video by its extension in any letter case: %j', (name) => expect(isVideo(name)).toBe(true))

test.each(['a.txt', 'mp4', '.mp4', '.hidden.mp4', 'a.mp4~', 'a.avi', 'a.mp4 '])('a name is not a video: %j', (name) =>
  expect(isVideo(name)).toBe(false),
)

test.each([
  '.part',
  '.PART',
  '.partial',
  '.crdownload',
  '.!qB',
  '.!ut',
  '.tmp',
  '.download',
  '.filepart',
  '.opdownload',
  '.aria2',
])('an unfinished download is left alone: film.mp4%s', (ending) => expect(isVideo(`film.mp4${ending}`)).toBe(false))

test.each(['film.part.mp4', 'film.temp.mkv', 'film.TMP.mp4', 'film.incomplete.mp4'])(
  'an unfinished download with its extension last is left alone: %s',
  (name) => expect(isVideo(name)).toBe(false),
)

test('system folders, hidden ones, our own and unfinished downloads are not entered', () => {
  const left = [
    '@eaDir',
    '#recycle',
    '$RECYCLE.BIN',
    'System Volume Information',
    'lost+found',
    '.git',
    '.darkstream',
    'a.mp4.download',
  ]
  expect(left.filter(isFolderName)).toEqual([])
  expect(['Season 1', 'a.mp4', 'tmp', 'recycle'].every(isFolderName)).toBe(true)
})
