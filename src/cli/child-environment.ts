/**
 * What a child gets of our environment: programs that read foreign media have no use for a token, nor for the way out of this
 * network, whose address often has a password in it.
 */
export function childEnvironment(own: NodeJS.ProcessEnv = process.env): Record<string, string | undefined> {
  const ways = Object.keys(own).filter((name) => /^(https?|all|ftp)_proxy$/i.test(name))
  return { ...own, ...Object.fromEntries([...ways, 'DARKSTREAM_WORKER_TOKEN'].map((name) => [name, undefined])) }
}
