import { expect } from 'bun:test'
import type { JobFilter } from '../../../src/queue/store.ts'
import { type Check, failure, idOf, keyOf, refusal, source, type World } from './world.ts'

/** The list of jobs, in pages that a change between two of them does not shift. */
export function pageCases(check: Check): void {
  check('an empty queue has one empty page', async ({ store }) => {
    expect(await store.jobs({ limit: 10 })).toEqual({ jobs: [], next: null })
  })

  check('a page that holds all there is leads to no other', async ({ store, add, job }) => {
    await add('a', 'b')
    expect(await store.jobs({ limit: 2 })).toEqual({ jobs: [await job('a'), await job('b')], next: null })
  })

  for (const limit of [1, 2, 3, 7, 10]) {
    check(
      `pages of ${limit} hold every job once, in the order added, though all were added at one instant`,
      async (w) => {
        const names = ['h', 'b', 'j', 'a', 'c', 'g', 'd', 'i', 'f', 'e']
        await w.add(...names)
        expect(await allPages(w, { limit })).toEqual(names)
      },
    )
  }

  check('what changes between two pages neither repeats nor hides a job', async (world) => {
    await world.add('a', 'b', 'c', 'd')
    const first = await world.store.jobs({ limit: 2 })
    await world.claim()
    await world.store.cancel(idOf('c'))
    await world.store.prioritize(idOf('d'), 10)
    world.advance(1)
    await world.add('e')
    expect(await allPages(world, { limit: 2, after: first.next ?? '' })).toEqual(['c', 'd', 'e'])
  })

  check('jobs are found by state, by worker, by a part of their path, and by all of these', async (world) => {
    await world.add('show/one', 'show/two', 'film/one')
    await world.claim('alice')
    await world.store.fail(keyOf(await world.claim('alice')), failure())
    await world.claim('bob')
    const found = (filter: Partial<JobFilter>) => allPages(world, { limit: 1, ...filter })
    expect(await found({ status: 'processing' })).toEqual(['show/one', 'film/one'])
    expect(await found({ worker_id: 'alice' })).toEqual(['show/one', 'show/two'])
    expect(await found({ search: 'show' })).toEqual(['show/one', 'show/two'])
    expect(await found({ search: 'one' })).toEqual(['show/one', 'film/one'])
    expect(await found({ status: 'processing', worker_id: 'alice', search: 'one' })).toEqual(['show/one'])
    expect(await found({ status: 'completed' })).toEqual([])
    expect(await found({ worker_id: 'nobody' })).toEqual([])
  })

  check('signs in a search mean themselves', async (world) => {
    const names = ['100%', '100 of', 'a_b', 'axb', String.raw`back\slash`, 'backXslash', "it's", '[ab]', 'a*b', 'é🎬']
    await world.add(...names)
    const found = (search: string) => allPages(world, { limit: 100, search })
    expect(await found('100%')).toEqual(['100%'])
    expect(await found('%')).toEqual(['100%'])
    expect(await found('_')).toEqual(['a_b'])
    expect(await found('a_b')).toEqual(['a_b'])
    expect(await found('\\')).toEqual([String.raw`back\slash`])
    expect(await found("'")).toEqual(["it's"])
    expect(await found('[ab]')).toEqual(['[ab]'])
    expect(await found('*')).toEqual(['a*b'])
    expect(await found('🎬')).toEqual(['é🎬'])
    expect(await found('')).toEqual(names)
  })

  for (const after of ['', 'x', '5', '@', '5@', '@2026-03-01T12:00:00.000Z', '-1@2026', '1.5@2026', "1' OR 1=1@x"]) {
    check(`a position that no page gave is refused as such (${JSON.stringify(after)})`, async ({ store, add }) => {
      await add('a')
      expect(await refusal(store.jobs({ limit: 10, after }))).toMatchObject({ code: 'invalid_request' })
    })
  }

  check('a position stays good when the queue is reopened', async (world) => {
    await world.add('a', 'b', 'c')
    const { next } = await world.store.jobs({ limit: 1 })
    await world.reopen()
    expect(await allPages(world, { limit: 10, after: next ?? '' })).toEqual(['b', 'c'])
  })

  check('paths come back as they were found, whatever is in them', async ({ store, job }) => {
    const name = `a "film"\n'%03d' 100% \\ -é🎬`
    await store.addSources([source(name)])
    expect((await job(name)).source_path).toBe(`/in/${name}.mkv`)
  })
}

/** The names of all jobs that the pages of a filter hold, page after page. */
async function allPages(world: World, filter: JobFilter): Promise<string[]> {
  const names: string[] = []
  let after = filter.after
  for (;;) {
    const page = await world.store.jobs({ ...filter, after })
    if (page.jobs.length > filter.limit) throw new Error('a page holds more than asked for')
    names.push(...page.jobs.map((job) => job.source_path.slice('/in/'.length, -'.mkv'.length)))
    if (page.next === null) return names
    after = page.next
  }
}
