import { writeFileSync } from 'node:fs'
import { Scanner } from '../../../src/master/scan/scanner.ts'
import { createLog } from '../../../src/util/log.ts'

// Started by watch.test.ts where few inotify watches are allowed: after the first scan it adds a file to the folder of
// its argument, and says how many sources there are when the periodic scan has found that too.
const root_path = process.argv[2] ?? ''
const paths = new Set<string>()
const { promise, resolve } = Promise.withResolvers<void>()
const scanner = new Scanner({
  root_path,
  output_base: '/nonexistent',
  video_extensions: ['.mp4'],
  recursive_depth: -1,
  scan_interval_ms: 20,
  settle_time_ms: 0,
  watch: true,
  container: 'mp4',
  replaces: false,
  store: {
    async addSources(sources) {
      for (const source of sources) paths.add(source.source_path)
      if (paths.size === 6) resolve()
      return { added: sources.length, changed: 0, unchanged: 0 }
    },
  },
  log: createLog({ level: 'warn', format: 'text', output_path: null }),
})
scanner.start()
await scanner.whenSettled()
writeFileSync(`${root_path}/new.mp4`, 'x')
await promise
await scanner.stop()
console.log(`${paths.size} files`)
