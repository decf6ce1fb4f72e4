import { expect, test } from 'bun:test'
import { lengthProblem } from '../../../src/pipeline/verify/told-length.ts'
import { audio, media, video } from '../samples.ts'

const minute = media([video(), audio()])

test('a container that tells what was written is right, by some frames', () => {
  expect(lengthProblem(minute, 60)).toBeNull()
  expect(lengthProblem(minute, 59.5)).toBeNull()
  expect(lengthProblem(minute, null)).toBeNull()
})

test('a container that tells more or less is wrong', () => {
  expect(lengthProblem(minute, 57)).toBe('the result tells a length of 1:00, and was written to 0:57')
  expect(lengthProblem(minute, 120)).toBe('the result tells a length of 1:00, and was written to 2:00')
})

test('a film of few frames may end a few of them later', () => {
  expect(lengthProblem(media([video({ average_rate: 0.1 })]), 25)).toBeNull()
})

test('a film that begins late ends late', () => {
  expect(lengthProblem(media([video()], { start_seconds: 100 }), 160)).toBeNull()
})
