import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Moves, systemMoves } from '../../../src/master/moves.ts'
import { type Swap, ChangedMeanwhileError, swap } from '../../../src/master/replace/swap.ts'
import { lacksMounts, mountTinyDisk } from '../../support/tiny-disk.ts'
import { temporaryFolder } from '../../support/program.ts'
import { filesOf, write } from './films.ts'

/** A swap of real files: `work/result` comes, `film.mkv` or `film.mp4` goes. */
function prepared(name: 'film.mkv' | 'film.mp4', root = temporaryFolder()): { root: string; plan: Swap } {
  const old = write(root, name, 'the original')
  const from = write(root, 'work/result', 'result')
  const plan = {
    from,
    arriving: lookOf(from),
    to: join(root, 'film.mp4'),
    old,
    leaving: lookOf(old),
    aside: join(root, 'kept', name),
    mayBeGone: false,
  }
  return { root, plan }
}

function lookOf(path: string) {
  const { size, mtimeMs } = statSync(path)
  return { size_bytes: size, mtime_ms: Math.floor(mtimeMs) }
}

async function refusalOf(swapping: Promise<void>): Promise<string> {
  return swapping.then(
    () => 'not refused',
    (error: Error) => error.message,
  )
}

/** How many changes of names a swap takes. */
async function stepsOf(name: 'film.mkv' | 'film.mp4', has_links: boolean): Promise<number> {
  let count = 0
  await swap(
    prepared(name).plan,
    meddled(has_links, () => count++),
  )
  return count
}

/** The system's moves, with something done before each. */
function meddled(has_links: boolean, before: () => unknown): Moves {
  const step = async (move: () => Promise<void>) => {
    before()
    await move()
  }
  return {
    link: async (from, to) => {
      if (!has_links) throw Object.assign(new Error('none'), { code: 'ENOTSUP' })
      await step(() => systemMoves.link(from, to))
    },
    rename: (from, to) => step(() => systemMoves.rename(from, to)),
    unlink: (path) => step(() => systemMoves.unlink(path)),
  }
}

for (const has_links of [true, false]) {
  for (const name of ['film.mkv', 'film.mp4'] as const) {
    const before = { [name]: 'the original', 'work/result': 'result' }
    const after = { 'film.mp4': 'result', [`kept/${name}`]: 'the original' }
    describe(`${name}, ${has_links ? 'with' : 'without'} second names`, () => {
      test('it is swapped, and swapped once', async () => {
        const { root, plan } = prepared(name)
        const moves = meddled(has_links, () => {})
        await swap(plan, moves)
        expect(filesOf(root)).toEqual(after)
        await swap(plan, moves)
        expect(filesOf(root)).toEqual(after)
      })

      test('an error of the disk at any step puts all back, and the next try goes through', async () => {
        const steps = await stepsOf(name, has_links)
        for (const code of ['EIO', 'EACCES', 'ENOSPC', 'EXDEV']) {
          for (let failing = 0; failing < steps; failing++) {
            const { root, plan } = prepared(name)
            let count = 0
            const moves = meddled(has_links, () => {
              if (count++ === failing) throw Object.assign(new Error(code), { code })
            })
            const error = await swap(plan, moves).catch((thrown: Error) => thrown)
            expect(error).toBeInstanceOf(Error)
            expect(filesOf(root)).toEqual(before)
            await swap(
              plan,
              meddled(has_links, () => {}),
            )
            expect(filesOf(root)).toEqual(after)
          }
        }
      })

      test('a source that is written to before any step loses nothing, and is told', async () => {
        const steps = await stepsOf(name, has_links)
        for (let meddling = 0; meddling < steps; meddling++) {
          const { root, plan } = prepared(name)
          let count = 0
          let isWritten = false
          const moves = meddled(has_links, () => {
            if (count++ !== meddling || !isOriginal(plan.old)) return
            writeFileSync(plan.old, 'written by somebody')
            isWritten = true
          })
          const error = await swap(plan, moves).catch((thrown: Error) => thrown)
          if (!isWritten) continue
          expect(error).toBeInstanceOf(ChangedMeanwhileError)
          expect(filesOf(root)).toEqual({ ...before, [name]: 'written by somebody' })
        }
      })

      test('another file that takes the source’s name before any step is not lost', async () => {
        const steps = await stepsOf(name, has_links)
        for (let meddling = 0; meddling < steps; meddling++) {
          const { root, plan } = prepared(name)
          const newer = write(root, 'newer', 'a newer film')
          let count = 0
          let isLast = false
          let wasKept = false
          const moves = meddled(has_links, () => {
            if (count++ !== meddling) return
            // Between the last look and the rename over a name nothing can be seen: that moment is the rename's own.
            isLast = name === 'film.mp4' && meddling === 1
            wasKept = existsSync(plan.aside)
            if (!isLast) renameSync(newer, plan.old)
          })
          await swap(plan, moves).catch(() => {})
          if (!isLast) expect(Object.values(filesOf(root))).toContain('a newer film')
          if (wasKept) expect(Object.values(filesOf(root))).toContain('the original')
        }
      })
    })
  }
}

test('a foreign file at the new name, at first or at the last moment, stays', async () => {
  const early = prepared('film.mkv')
  write(early.root, 'film.mp4', 'mine')
  expect(await refusalOf(swap(early.plan, systemMoves))).toContain('appeared')
  expect(filesOf(early.root)).toEqual({ 'film.mkv': 'the original', 'film.mp4': 'mine', 'work/result': 'result' })
  const late = prepared('film.mkv')
  const moves = { ...systemMoves, link: systemMoves.link }
  moves.link = async (from, to) => {
    if (to === late.plan.to) write(late.root, 'film.mp4', 'mine')
    await systemMoves.link(from, to)
  }
  expect(await refusalOf(swap(late.plan, moves))).toContain('appeared')
  expect(filesOf(late.root)).toEqual({ 'film.mkv': 'the original', 'film.mp4': 'mine', 'work/result': 'result' })
})

test('another file that is put at the source’s name once that is kept aside stays, and the original is kept too', async () => {
  for (const name of ['film.mkv', 'film.mp4'] as const) {
    const { root, plan } = prepared(name)
    const link: Moves['link'] = async (from, to) => {
      await systemMoves.link(from, to)
      if (to === plan.aside) renameSync(write(root, 'newer', 'a newer film'), plan.old)
    }
    const refusal = await refusalOf(swap(plan, { ...systemMoves, link }))
    expect(refusal).toContain('another file was put at')
    expect(refusal).toContain(dirname(plan.aside))
    const kept = { [`kept/${name}`]: 'the original', 'work/result': 'result' }
    expect(filesOf(root)).toEqual({ ...kept, [name]: 'a newer film' })
  }
})

test('a staged result that is not the one that was checked replaces nothing', async () => {
  const { root, plan } = prepared('film.mp4')
  writeFileSync(plan.from, 'another result')
  expect(await refusalOf(swap(plan, systemMoves))).toContain('not the one that was checked')
  expect(filesOf(root)).toEqual({ 'film.mp4': 'the original', 'work/result': 'another result' })
})

test('what was kept aside and is removed by somebody after the swap is not missed', async () => {
  const { root, plan } = prepared('film.mkv')
  await swap(plan, systemMoves)
  rmSync(join(root, 'kept'), { recursive: true })
  await swap(plan, systemMoves)
  expect(filesOf(root)).toEqual({ 'film.mp4': 'result' })
})

const noMounts = lacksMounts('a replacement across file systems, on a full and on a read-only one')

test.skipIf(noMounts)('across file systems nothing is moved, and the reason is told', async () => {
  for (const name of ['film.mkv', 'film.mp4'] as const) {
    const root = temporaryFolder()
    using disk = mountTinyDisk(join(root, 'disk'), '1m')
    const { plan } = prepared(name, disk.path)
    const elsewhere = { ...plan, aside: join(root, 'kept', name) }
    expect(await refusalOf(swap(elsewhere, systemMoves))).toContain('another file system')
    expect(filesOf(disk.path)).toEqual({ [name]: 'the original', 'work/result': 'result' })
  }
})

test.skipIf(noMounts)(
  'on a full disk it goes through or changes nothing, on a read-only one it changes nothing',
  async () => {
    for (const name of ['film.mkv', 'film.mp4'] as const) {
      using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '1m')
      const { plan } = prepared(name, disk.path)
      disk.remount('ro')
      expect(await refusalOf(swap(plan, systemMoves))).toContain('read-only')
      disk.remount('rw')
      disk.fill()
      await swap(plan, systemMoves).catch(() => {})
      const visible = [plan.old, plan.to].map((path) => {
        try {
          return readFileSync(path, 'utf8')
        } catch {
          return undefined
        }
      })
      expect(visible.some((text) => text === 'the original' || text === 'result')).toBe(true)
      disk.clear()
    }
  },
)

function isOriginal(path: string): boolean {
  try {
    return readFileSync(path, 'utf8') === 'the original'
  } catch {
    return false
  }
}
