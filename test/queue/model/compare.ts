import { expect } from 'bun:test'
import type { Attempt, Job } from '../../../src/contract/job.ts'
import type { PathTotals, Publication, Totals } from '../../../src/queue/store.ts'
import { timestamp } from '../../../src/util/clock.ts'
import { recount } from '../cases/totals.ts'
import { there, type World } from '../cases/world.ts'
import { pathName } from './claims.ts'
import type { Model, ModelJob } from './model.ts'

/** All that a store tells at an instant. */
export interface Look {
  jobs: Job[]
  /** Of each job, in the order of `jobs`. */
  attempts: Attempt[][]
  publications: Publication[]
  totals: Totals
  paths: PathTotals[]
  publishing: string[]
}

/** A store under test, with what is remembered of it to hold against its next word. */
export interface Subject {
  world: World
  last: Look
  /** Who got the claim of an attempt, by `job_id#attempt`. */
  owners: Map<string, string | null>
}

export async function lookAt({ store }: World): Promise<Look> {
  const { jobs } = await store.jobs({ limit: 100 })
  return {
    jobs,
    attempts: await Promise.all(jobs.map((job) => store.attempts(job.id))),
    publications: await Promise.all(jobs.map(async (job) => there(await store.publication(job.id)))),
    totals: await store.totals(),
    paths: await store.paths(100),
    publishing: (await store.publishing()).map((job) => job.id),
  }
}

/** Looks at the store after an act: it must hold what the model holds, and what must hold after any act. */
export async function compare(model: Model, subject: Subject, act: string): Promise<void> {
  const look = await lookAt(subject.world)
  expectSame(look, model)
  expectInvariants(look, subject, act)
  subject.last = look
}

function expectSame(look: Look, model: Model): void {
  expect(look.jobs.map((job, index) => viewOfStore(job, look, index))).toEqual(model.jobs.map(viewOfModel))
  const paths = look.paths.map((path) => [pathName(path), { jobs: path.jobs, fell_back: path.fell_back }] as const)
  expect(new Map(paths)).toEqual(model.paths)
}

/** What a store tells of a job that the model knows too. */
function viewOfStore(job: Job, look: Look, index: number) {
  const { id, status, attempt, priority, worker_id, output_size, retry_count, retry_at_ms, error_class } = job
  return {
    id,
    status,
    attempt,
    priority,
    worker_id,
    output_size,
    retry_count,
    retry_at_ms,
    error_class,
    ran_on: job.ran_on,
    skip_reason: job.skip_reason,
    profile: job.profile,
    source_size: job.source_size,
    source_mtime_ms: job.source_mtime_ms,
    created_at: job.created_at,
    ...there(look.publications[index]),
    history: there(look.attempts[index]).map(({ attempt, worker_id, outcome, ended_at }) => ({
      attempt,
      worker_id,
      outcome,
      ended_at,
    })),
  }
}

/** The same of the model's job; what a store tells by its acts only is left out. */
function viewOfModel(job: ModelJob): ReturnType<typeof viewOfStore> {
  const { created_at_ms, history, request_id: _, lease_expires_ms: __, not_before_ms: ___, ...told } = job
  const { lost_count: ____, failed_by: _____, refused_by: ______, refused_at_ms: _______, ...view } = told
  return {
    ...view,
    created_at: timestamp(created_at_ms),
    history: history.map(({ ended_at_ms, ...ended }) => ({ ...ended, ended_at: timestamp(ended_at_ms) })),
  }
}

/** What holds after any act whatever, said without the model: it could be as wrong as the store. */
function expectInvariants(look: Look, subject: Subject, act: string): void {
  expect(look.totals).toEqual(recount(look.jobs))
  expect(new Set(look.jobs.map((job) => job.output_path)).size).toBe(look.jobs.length)
  for (const before of subject.last.jobs) {
    const job = there(look.jobs.find((found) => found.id === before.id))
    expect(job.attempt).toBeGreaterThanOrEqual(before.attempt)
    const isUndone = ['completed', 'skipped'].includes(before.status) && job.status !== before.status
    if (isUndone) expect(act).toBeOneOf(['addSources', 'requeue', 'requeueEnded'])
  }
  for (const [index, job] of look.jobs.entries()) {
    expect(job.skip_reason !== null).toBe(job.status === 'skipped')
    expectOneOwner(job, subject.owners)
    const numbers = there(look.attempts[index]).map((ended) => ended.attempt)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
    expect(Math.max(0, ...numbers)).toBeLessThanOrEqual(job.attempt - (job.status === 'processing' ? 1 : 0))
    expect(look.publishing.includes(job.id)).toBe(there(look.publications[index]).publish_size !== null)
  }
}

/** Of all that ever held a job, nobody had the number of another. */
function expectOneOwner(job: Job, owners: Subject['owners']): void {
  if (job.status !== 'processing') return
  const claim = `${job.id}#${job.attempt}`
  const owner = owners.get(claim)
  if (owner === undefined) owners.set(claim, job.worker_id)
  else expect(owner).toBe(job.worker_id ?? '')
}
