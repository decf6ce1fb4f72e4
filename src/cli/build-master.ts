import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { type Coordinator, createCoordinator } from '../master/coordinator.ts'
import type { OnJobEvent } from '../master/events.ts'
import { systemMoves } from '../master/moves.ts'
import { profilesOfPath, ruleOf } from '../master/path-profiles.ts'
import { Scanner } from '../master/scan/scanner.ts'
import { openSqliteStore } from '../queue/sqlite/sqlite-store.ts'
import type { Store } from '../queue/store.ts'
import { systemClock } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { version } from './version.ts'

/** A master's parts, put together but for the listening. */
export interface Master {
  store: Store
  scanner: Scanner
  coordinator: Coordinator
  /** Ends what an earlier run left half done; to be called before anybody may ask. */
  recover: () => Promise<void>
  /** Ends all of it and closes the database. */
  stop: () => Promise<void>
}

/** Puts a master together from its configuration. */
export function buildMaster(config: Config, log: Log, onEvent: OnJobEvent): Master {
  const { scanner: scan, conversion, queue } = config
  const root_path = resolve(scan.root_path)
  const { enabled, keep_originals, hard_links } = config.replace
  const output_base = resolve(scan.output_base)
  const profilesOf = profilesOfPath(config.profiles, root_path)
  const store = openSqliteStore({
    path: resolve(config.database.path),
    max_retries: queue.max_retries,
    keep_history_ms: config.database.keep_history,
    clock: systemClock,
  })
  const scanner = new Scanner({
    root_path,
    output_base,
    video_extensions: scan.video_extensions,
    recursive_depth: scan.recursive_depth,
    scan_interval_ms: scan.scan_interval,
    settle_time_ms: scan.settle_time,
    watch: scan.watch,
    container: conversion.container,
    replaces: enabled,
    ruleOf: (source_path) => ruleOf(profilesOf(source_path)),
    store,
    log,
    on_added: () => coordinator.wake(),
  })
  const coordinator = createCoordinator({
    store,
    settings: conversion,
    profilesOf,
    root_path,
    output_base,
    replace: { enabled, keep_originals_ms: keep_originals, hard_links, moves: systemMoves },
    overwrite: conversion.overwrite,
    settle_time_ms: scan.settle_time,
    worker_timeout_ms: queue.worker_timeout,
    retry: { retry_delay_ms: queue.retry_delay, max_retry_delay_ms: queue.max_retry_delay },
    clock: systemClock,
    log,
    onEvent,
    scanReport: () => scanner.report(),
    version,
  })
  return {
    store,
    scanner,
    coordinator,
    recover: () => coordinator.start(),
    async stop() {
      await scanner.stop()
      await coordinator.stop()
      await store.close()
    },
  }
}
