import { connect, createServer, type Socket } from 'node:net'
import { cleanUpAfterEach } from './after-each.ts'

/** A way to a server that ends, or falls silent, after so many bytes of a connection, as often as it is told to. */
export interface CuttingProxy {
  url: string
  /** What happens to the next connections, in order; those after them are left alone. */
  faults: { after_bytes: number; direction: 'down' | 'up'; kind: 'cut' | 'silence' }[]
  /** Connections that were cut or fell silent. */
  met: () => number
}

const closes: (() => void)[] = []
cleanUpAfterEach(async () => {
  for (const close of closes.splice(0)) close()
})

export async function startProxy(target: string): Promise<CuttingProxy> {
  const faults: CuttingProxy['faults'] = []
  const sockets = new Set<Socket>()
  let met = 0
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    pass(upstream, client, 'down')
    pass(client, upstream, 'up')

    function pass(from: Socket, to: Socket, direction: 'down' | 'up'): void {
      let bytes = 0
      from.on('data', (piece: Buffer) => {
        bytes += piece.length
        const [fault] = faults
        if (fault?.direction !== direction || bytes < fault.after_bytes) {
          if (!to.write(piece)) {
            from.pause()
            to.once('drain', () => from.resume())
          }
          return
        }
        faults.shift()
        met++
        if (fault.kind === 'silence') return void from.removeAllListeners('data').pause()
        client.resetAndDestroy()
        upstream.resetAndDestroy()
      })
    }
  })
  await new Promise<void>((resume) => server.listen(0, '127.0.0.1', resume))
  closes.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, faults, met: () => met }
}
