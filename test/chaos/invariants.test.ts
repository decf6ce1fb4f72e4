import { expect, test } from 'bun:test'
import { appendFileSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { executable } from '../support/program.ts'
import { check } from './invariants.ts'
import { Library } from './library.ts'
import { Memory } from './memory.ts'
import { whenQuiet } from './quiet.ts'
import { openWorld } from './world.ts'

test('the checks find nothing where all is well, and each kind of damage that is done by hand', async () => {
  const world = await openWorld({ executable, is_plain: true })
  try {
    const library = new Library(world.source, join(world.base, 'scratch'))
    const memory = new Memory()
    const [clip] = world.clips.short
    if (!clip) throw new Error('there is no clip')
    const sources = ['a.mp4', 'b.mp4', 'c.mp4'].map((name) => library.add(name, clip))
    const { unrest, lost } = await whenQuiet(world, sources, '', memory)
    expect({ unrest, lost }).toEqual({ unrest: undefined, lost: [] })
    expect(await check(world, library, memory)).toEqual([])

    const output = (name: string) => join(world.output, name)
    unlinkSync(output('a.mp4'))
    writeFileSync(output('b.mp4'), 'no video')
    appendFileSync(join(world.source, 'c.mp4'), 'more')
    writeFileSync(output('d.mp4.part'), '')
    mkdirSync(output('.darkstream/work/job.1'), { recursive: true })
    const found = (await check(world, library, memory)).map(({ text }) => text)
    for (const sentence of [
      /^I2: .*a\.mp4 is completed, and nothing is at/,
      /^I2: .*b\.mp4 has 8 bytes/,
      /^I2: .*b\.mp4 is not what attempt 1 published/,
      /^I1: .*b\.mp4 does not read/,
      /^I3: .*c\.mp4 is not as it was written/,
      /^I1: .*d\.mp4\.part belongs to no job/,
      /^I6: .*d\.mp4\.part is left over/,
      /^I6: .*job\.1 is left over/,
    ]) {
      expect(found.filter((text) => sentence.test(text))).toHaveLength(1)
    }
  } finally {
    await world.close()
  }
}, 120_000)
