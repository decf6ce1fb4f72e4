import { runCli } from './cli/run.ts'

const code = await runCli(process.argv.slice(2))
// To exit with bytes on their way into a pipe would cut them off.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((done) => stream.end(done))))
process.exit(code)
