import { expect, test } from 'bun:test'
import { fitFrame } from '../../../../src/pipeline/plan/video/frame.ts'
import { video } from '../../samples.ts'

const box = { width: 1280, height: 720 }

test.each([
  ['a larger picture shrinks into the box', { width: 1920, height: 1080 }, { width: 1280, height: 720 }],
  ['a wide picture fills the width', { width: 1920, height: 804 }, { width: 1280, height: 536 }],
  ['a tall picture fills the height', { width: 1080, height: 1920 }, { width: 404, height: 720 }],
  ['a smaller picture is not enlarged', { width: 640, height: 360 }, { width: 640, height: 360 }],
  ['an odd size loses a line, for there is no pixel to add', { width: 853, height: 481 }, { width: 852, height: 480 }],
  ['a single pixel becomes the least that 4:2:0 can hold', { width: 1, height: 1 }, { width: 2, height: 2 }],
  ['a strip keeps two lines', { width: 16_000, height: 2 }, { width: 1280, height: 2 }],
  [
    'wide pixels become square by width',
    { width: 720, height: 576, sample_aspect: 64 / 45 },
    { width: 1024, height: 576 },
  ],
  [
    'narrow pixels become square by width',
    { width: 720, height: 480, sample_aspect: 8 / 9 },
    { width: 640, height: 480 },
  ],
  [
    'a quarter turn is fitted as it is shown',
    { width: 1920, height: 1080, rotation: 90 as const },
    { width: 404, height: 720 },
  ],
  [
    'wide pixels of a turned picture are tall ones',
    { width: 720, height: 576, sample_aspect: 64 / 45, rotation: 270 as const },
    { width: 404, height: 720 },
  ],
  ['a half turn changes no size', { width: 640, height: 360, rotation: 180 as const }, { width: 640, height: 360 }],
])('%s', (_, source, expected) => {
  expect(fitFrame(video(source), box)).toEqual(expected)
})

test('an odd box is never passed', () => {
  expect(fitFrame(video(), { width: 641, height: 361 })).toEqual({ width: 640, height: 360 })
})
