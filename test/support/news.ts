import { Pulse } from '../../src/util/clock.ts'

/** Something that happens again and again, and the waiting for what it brings. */
export class News extends Pulse {
  /** Resolves once the condition holds; it is looked at now and at every beat. */
  async until(holds: () => boolean): Promise<void> {
    for (;;) {
      const next = this.next()
      if (holds()) return
      await new Promise((resume) => next.addEventListener('abort', resume, { once: true }))
    }
  }
}
