import { expect, test } from 'bun:test'
import { basename } from 'node:path'
import { jobId, outputCandidates, replacementCandidates, rivalNames } from '../../src/master/outputs.ts'

const outputsOf = (name: string, siblings: string[] = []) =>
  outputCandidates(`/in/show/${name}`, '/in', '/out', 'mp4', siblings)
const first = (name: string, siblings: string[]) =>
  basename(outputsOf(name, rivalNames(siblings)(name).slice())[0] ?? '')

test('an output mirrors the folder of its source and prefers the plain name', () => {
  const hash = jobId('/in/show/a.mkv').slice(0, 8)
  expect(outputsOf('a.mkv')).toEqual(['/out/show/a.mp4', '/out/show/a.mkv.mp4', `/out/show/a.${hash}.mp4`])
})

test('a source in the root itself has its output in the output folder itself', () => {
  expect(outputCandidates('/in/a.b.mkv', '/in', '/out', 'webm')[0]).toBe('/out/a.b.webm')
})

test('a job id is 32 hexadecimal digits and depends on the path alone', () => {
  expect(jobId('/in/a.mkv')).toMatch(/^[0-9a-f]{32}$/)
  expect(jobId('/in/a.mkv')).toBe(jobId('/in/a.mkv'))
  expect(jobId('/in/a.mkv')).not.toBe(jobId('/in/a.mov'))
})

test('of the names that share a stem the first in order gets the plain name, however they are listed', () => {
  for (const siblings of [
    ['a.avi', 'a.mkv', 'a.mov'],
    ['a.mov', 'a.mkv', 'a.avi'],
  ]) {
    expect(siblings.toSorted().map((name) => first(name, siblings))).toEqual(['a.mp4', 'a.mkv.mp4', 'a.mov.mp4'])
  }
})

test('names that differ only in letter case or Unicode form count as one', () => {
  expect(first('Film.MKV', ['film.avi', 'Film.MKV'])).toBe('Film.mp4')
  expect(first('film.avi', ['film.avi', 'Film.MKV'])).toBe('film.avi.mp4')
  expect(first('\u00e9.mkv', ['e\u0301.avi', '\u00e9.mkv'])).toBe('\u00e9.mkv.mp4')
})

test('no two names of one folder have the same first choice', () => {
  const siblings = ['A.mkv', 'a.MKV', 'a.mkv', 'a.avi', 'a.mkv.mp4', 'a.mkv.mov', 'b.mkv', 'B.MKV']
  const choices = siblings.map((name) => first(name, siblings).toLowerCase())
  expect(new Set(choices).size).toBe(siblings.length)
})

test('a name too long for its extension is cut between characters and told apart by the hash', () => {
  const names = ['abc', 'abd'].map((end) => {
    const source = `/in/${'é'.repeat(124)}${end}.mkv`
    return basename(outputCandidates(source, '/in', '/out', 'webm')[0] ?? '')
  })
  for (const name of names) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(name).toMatch(/^é+\.[0-9a-f]{8}\.webm$/)
  }
  expect(names[0]).not.toBe(names[1])
})

test('an output never is its own source, even when both trees are one', () => {
  const outputs = outputCandidates('/in/a.MP4', '/in', '/in', 'mp4')
  expect(outputs.map((path) => path.toLowerCase())).not.toContain('/in/a.mp4')
  expect(outputs.length).toBeGreaterThan(0)
})

const places = (name: string, siblings: string[] = [name]) =>
  replacementCandidates(`/in/${name}`, 'mp4', siblings).map((path) => path.slice('/in/'.length))
const hash = (name: string) => jobId(`/in/${name}`).slice(0, 8)

test('in its source’s place a result keeps a name of the right extension, and else avoids every sibling', () => {
  expect(places('film.mp4', ['film.avi', 'film.mp4'])).toEqual(['film.mp4'])
  expect(places('FILM.Mp4')).toEqual(['FILM.Mp4'])
  expect(places('film.mkv')).toEqual(['film.mp4', 'film.mkv.mp4', `film.${hash('film.mkv')}.mp4`])
  expect(places('film.mkv', ['film.mkv', 'film.mp4'])).toEqual(['film.mkv.mp4', `film.${hash('film.mkv')}.mp4`])
  expect(places('film.mkv', ['film.mkv', 'FILM.mp4', 'film.mkv.mp4'])).toEqual([`film.${hash('film.mkv')}.mp4`])
  expect(places('film.mkv', ['film.avi', 'film.mkv'])[0]).toBe('film.mkv.mp4')
})
