import { errnoOf } from './errno.ts'

/** Why the system refused something with a file, in words where they are known: `there is no such file`. */
export function whyRefused(error: unknown): string {
  const code = errnoOf(error)
  return reasons[code ?? ''] ?? code ?? String(error)
}

const reasons: Partial<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EPERM: 'permission denied',
}
