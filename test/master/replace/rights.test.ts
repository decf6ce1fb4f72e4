import { expect, test } from 'bun:test'
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rightsProblem, takeOverRights } from '../../../src/master/replace/rights.ts'
import { temporaryFolder } from '../../support/program.ts'

const owned = (uid: number, gid: number, mode: number) => ({ uid, gid, mode: 0o100000 | mode })

const cases: [
  what: string,
  original: ReturnType<typeof owned>,
  result: ReturnType<typeof owned>,
  problem: RegExp | null,
][] = [
  ['the same rights', owned(1, 1, 0o640), owned(1, 1, 0o640), null],
  ['rights that let nobody read', owned(1, 1, 0o000), owned(1, 1, 0o000), null],
  ['others that could not read before', owned(1, 1, 0o640), owned(1, 1, 0o644), /more people/],
  ['a group that could not read before', owned(1, 1, 0o600), owned(1, 1, 0o640), /more people/],
  ['another group that could not read before', owned(1, 1, 0o640), owned(1, 2, 0o640), /more people/],
  ['a group that cannot read any more', owned(1, 1, 0o640), owned(1, 2, 0o600), /fewer people/],
  ['an owner that cannot read any more', owned(1, 1, 0o640), owned(2, 1, 0o640), /fewer people/],
  ['another owner of what everybody reads', owned(1, 1, 0o644), owned(2, 1, 0o644), null],
  ['another group of what everybody reads', owned(1, 1, 0o664), owned(1, 2, 0o644), null],
  ['others that cannot read any more', owned(1, 1, 0o644), owned(1, 1, 0o640), /fewer people/],
]

for (const [what, original, result, problem] of cases) {
  test(`a result with ${what} ${problem ? 'replaces nothing' : 'may take its source’s place'}`, () => {
    if (problem) expect(rightsProblem(original, result)).toMatch(problem)
    else expect(rightsProblem(original, result)).toBeUndefined()
  })
}

test.if(process.getuid?.() === 0)(
  'root gives the result its source’s owner, group and mode, without set-user-id',
  async () => {
    const folder = temporaryFolder()
    const [original, result] = [join(folder, 'a.mkv'), join(folder, 'result')]
    for (const path of [original, result]) writeFileSync(path, path)
    chownSync(original, 1234, 4321)
    chmodSync(original, 0o6750)
    expect(await takeOverRights(result, statSync(original))).toBeNull()
    const { uid, gid, mode } = statSync(result)
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 1234, gid: 4321, mode: 0o750 })
  },
)
