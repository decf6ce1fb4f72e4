import type { Aspect } from './judge.ts'

/** Parts of the promise that are not kept yet, by clip and target. One that is kept fails the test: its mark has to go. */
export const pending: Record<string, readonly Aspect[]> = {}
