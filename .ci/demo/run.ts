/** Runs a program on our own streams, passes SIGTERM on, and gives its exit code. */
export async function run(argv: readonly string[], cwd: string): Promise<number> {
  const child = Bun.spawn([...argv], { cwd, stdio: ['inherit', 'inherit', 'inherit'] })
  const pass = (signal: NodeJS.Signals) => {
    // A terminal has sent its Ctrl-C to the child as well, and a second one means more than the first.
    if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal)
  }
  process.on('SIGTERM', pass).on('SIGINT', pass)
  const code = await child.exited
  process.off('SIGTERM', pass).off('SIGINT', pass)
  return code
}
