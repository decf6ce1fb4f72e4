import { Scanner } from '../../../src/master/scan/scanner.ts'
import { createLog } from '../../../src/util/log.ts'

// Started by scanner.test.ts: starts a scanner on the folder of its argument, stops it, and must then end by itself.
const scanner = new Scanner({
  root_path: process.argv[2] ?? '',
  output_base: '/nonexistent',
  video_extensions: ['.mp4'],
  recursive_depth: -1,
  scan_interval_ms: 3_600_000,
  settle_time_ms: 3_600_000,
  watch: true,
  container: 'mp4',
  replaces: false,
  store: { addSources: () => Promise.reject(new Error('nothing is settled')) },
  log: createLog({ level: 'error', format: 'text', output_path: null }),
})
scanner.start()
await scanner.scan()
await scanner.stop()
