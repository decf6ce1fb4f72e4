/** What a program said. */
export interface Said {
  stdout: Buffer
  stderr: string
}

/** Runs a program to its end. Throws with its complaint when it fails. */
export async function run(argv: readonly string[], folder: string): Promise<Said> {
  const child = Bun.spawn([...argv], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).arrayBuffer(),
    child.stderr.text(),
  ])
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`)
  return { stdout: Buffer.from(stdout), stderr }
}
