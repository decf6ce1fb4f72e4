import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')
const executable = join(root, 'dist', 'darkstream')

/** The compiled executable, built first when it is missing or older than a file that it is made of. */
export async function freshExecutable(): Promise<string> {
  if (isStale()) {
    const build = Bun.spawn([process.execPath, 'build.ts'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    if ((await build.exited) !== 0) throw new Error('the build failed')
  }
  return executable
}

function isStale(): boolean {
  if (!existsSync(executable)) return true
  const builtAt = statSync(executable).mtimeMs
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  return files.some((file) => file.isFile() && statSync(join(file.parentPath, file.name)).mtimeMs > builtAt)
}
