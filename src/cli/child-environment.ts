/** What a child gets of our environment: programs that read foreign media have no use for a token. */
export function childEnvironment(): Record<string, string | undefined> {
  return { ...process.env, DARKSTREAM_WORKER_TOKEN: undefined }
}
