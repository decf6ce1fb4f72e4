import type { Context } from 'hono'
import { DarkstreamError } from '../contract/error.ts'
import type { Operation } from '../contract/routes.ts'
import { roleFor, type TokenRole } from '../contract/token.ts'
import { sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { connectionOf } from './connection.ts'
import { authorize, type Guard, type Holder } from './guard.ts'
import { type Rate, RateLimit } from './rate-limit.ts'
import { RefusalLog } from './refusal-log.ts'

/** A person's page or script, by token: far above what a page needs that asks every second. */
const peopleRate: Rate = { burst: 200, per_second: 50 }
/** What all workers with one token ask besides. */
const claimRate: Rate = { burst: 2000, per_second: 500 }
/** Refusals by address: enough for a wrong setting that is tried again and again, too few to guess by. */
const refusalRate: Rate = { burst: 50, per_second: 2 }

/** Milliseconds between two looks at whether the token of a call that waits still holds. */
const lookMs = 500

/**
 * What a worker says of work that it holds is never held back: a heartbeat that came late would cost it its jobs, and a
 * result that came late would be made again.
 */
const ofHeldWork = new Set<Operation>([
  'heartbeat',
  'reportProgress',
  'complete',
  'fail',
  'skip',
  'release',
  'leave',
  'register',
])

/** Lets requests in by their tokens, and not too many of them. Without a guard everybody is let in. */
export class Doorkeeper {
  private readonly guard: Guard | undefined
  private readonly people: RateLimit
  private readonly claims: RateLimit
  private readonly refusals: RateLimit
  private readonly refusalLog: RefusalLog

  constructor(guard: Guard | undefined, log: Log, now: () => number = () => performance.now()) {
    this.guard = guard
    this.people = new RateLimit(peopleRate, now)
    this.claims = new RateLimit(claimRate, now)
    this.refusals = new RateLimit(refusalRate, now)
    this.refusalLog = new RefusalLog(log, now)
  }

  /** Of an operation of the route table. */
  async admit(c: Context, operation: Operation): Promise<void> {
    const needed = roleFor(operation)
    const holder = await this.admitRole(c, needed)
    if (holder === undefined) return
    if (needed !== 'worker') this.count(c, this.people, holder.id)
    else if (!ofHeldWork.has(operation)) this.count(c, this.claims, holder.id)
  }

  /**
   * Does what may take long for who was let in. Another process may revoke his token meanwhile, and tells nobody: the signal
   * aborts then, and what is answered is the refusal.
   */
  async whileLetIn<T>(c: Context, operation: Operation, act: (shut: AbortSignal) => Promise<T>): Promise<T> {
    const [shut, done] = [new AbortController(), new AbortController()]
    const look = async () => {
      for (await sleep(lookMs, done.signal); !done.signal.aborted; await sleep(lookMs, done.signal)) {
        await this.admitRole(c, roleFor(operation))
      }
    }
    if (this.guard !== undefined) void look().catch((error: unknown) => shut.abort(error))
    const result = await act(shut.signal).finally(() => done.abort())
    if (shut.signal.aborted) throw shut.signal.reason
    return result
  }

  /** Of anything else that takes a role; who asks, undefined where nobody is asked for a token. */
  async admitRole(c: Context, needed: TokenRole): Promise<Holder | undefined> {
    if (this.guard === undefined) return undefined
    const { address = '' } = connectionOf(c)
    const header = c.req.header('Authorization')
    try {
      return await authorize(this.guard, header, needed)
    } catch (error) {
      const isUnknown = error instanceof DarkstreamError && error.code === 'unauthorized'
      if (isUnknown && header !== undefined) this.refusalLog.note(address)
      if (header !== undefined) this.count(c, this.refusals, address)
      if (isUnknown) c.header('WWW-Authenticate', 'Bearer')
      throw error
    }
  }

  private count(c: Context, limit: RateLimit, caller: string): void {
    const seconds = limit.take(caller)
    if (seconds === 0) return
    c.header('Retry-After', String(seconds))
    throw new DarkstreamError('too_many_requests', `too many requests: ask again in ${seconds} s`)
  }
}
