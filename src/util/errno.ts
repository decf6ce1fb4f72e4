/** The code of a failed system call, `ENOSPC`; undefined for what is no such failure. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
