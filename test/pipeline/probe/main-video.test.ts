import { describe, expect, test } from 'bun:test'
import { mainVideo } from '../../../src/pipeline/probe/main-video.ts'
import { media, video } from '../samples.ts'

describe('the main picture', () => {
  test('is the default one, before a larger', () => {
    const [large, small] = [video({ is_default: false }), video({ index: 3, width: 640, height: 360 })]
    expect(mainVideo(media([large, small])).index).toBe(3)
  })

  test('is the largest where none or all are marked', () => {
    expect(mainVideo(media([video({ width: 640, height: 360 }), video({ index: 1 })])).index).toBe(1)
  })

  test('is never cover art', () => {
    const cover = video({ is_cover: true, width: 3000, height: 3000 })
    expect(mainVideo(media([cover, video({ index: 2, is_default: false })])).index).toBe(2)
  })
})
