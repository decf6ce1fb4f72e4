import { existsSync } from 'node:fs'

/** Hosts by network namespaces: each worker in one of its own, with a wire to ours, where the master is. */
export interface Network {
  /** The master's address as a worker sees it, by the worker's number. */
  master: (worker: number) => string
  /** What starts a program in a worker's namespace. */
  prefix: (worker: number) => string[]
  /** Nothing comes through, and nobody is told. */
  cut: (worker: number) => void
  mend: (worker: number) => void
  /** 8 kbit/s both ways. */
  slow: (worker: number) => void
  /** Takes wires and namespaces away. */
  close: () => void
}

/** Builds it for so many workers; undefined where the machine does not allow it. */
export function openNetwork(workers: number): Network | undefined {
  const { pid } = process
  const hosts = Array.from({ length: workers }, (_, index) => ({
    space: `darkstream-${pid}-${index}`,
    // At most 15 letters.
    ours: `ds${pid}a${index}`,
    theirs: `ds${pid}b${index}`,
    // 10.64 to 10.127, a net of four addresses each, so that two runs do not meet.
    net: `10.${64 + ((pid >> 8) & 63)}.${pid & 255}.${4 * index}`,
  }))
  const address = (index: number, end: number) => hosts[index]?.net.replace(/\d+$/, (last) => `${Number(last) + end}`)
  const close = () => {
    for (const { space, ours } of hosts) {
      ip('link', 'del', ours)
      if (existsSync(`/run/netns/${space}`)) ip('netns', 'del', space)
    }
  }
  const isOpen = hosts.every(
    ({ space, ours, theirs }, index) =>
      Bun.which('nsenter') !== null &&
      ip('netns', 'add', space) &&
      ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', space) &&
      ip('addr', 'add', `${address(index, 1)}/30`, 'dev', ours) &&
      ip('link', 'set', ours, 'up') &&
      ip('-n', space, 'addr', 'add', `${address(index, 2)}/30`, 'dev', theirs) &&
      ip('-n', space, 'link', 'set', 'lo', 'up') &&
      ip('-n', space, 'link', 'set', theirs, 'up'),
  )
  if (!isOpen) {
    close()
    return undefined
  }
  const host = (worker: number) => hosts[worker] ?? { space: '', ours: '', theirs: '' }
  const shape = (act: string, worker: number, rule: string[]) => {
    run(['tc', 'qdisc', act, 'dev', host(worker).ours, 'root', ...rule])
    run(['tc', '-n', host(worker).space, 'qdisc', act, 'dev', host(worker).theirs, 'root', ...rule])
  }
  return {
    master: (worker) => address(worker, 1) ?? '',
    prefix: (worker) => ['nsenter', `--net=/run/netns/${host(worker).space}`, '--'],
    cut: (worker) => void ip('link', 'set', host(worker).ours, 'down'),
    mend(worker) {
      ip('link', 'set', host(worker).ours, 'up')
      shape('del', worker, [])
    },
    slow: (worker) => shape('add', worker, ['tbf', 'rate', '8kbit', 'burst', '1600', 'latency', '4s']),
    close,
  }
}

function ip(...words: string[]): boolean {
  return run(['ip', ...words])
}

function run(argv: string[]): boolean {
  return (
    process.platform === 'linux' &&
    Bun.which(argv[0] ?? '') !== null &&
    Bun.spawnSync(argv, { stdout: 'ignore', stderr: 'ignore' }).success
  )
}
