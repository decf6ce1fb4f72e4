import { expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import { useClips } from '../support/clips.ts'
import { place, startCluster } from '../support/cluster.ts'
import { start, temporaryFolder } from '../support/program.ts'

const clips = useClips()

const rows = (name: string) => readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1)

/** Inodes of the sockets in state LISTEN (0A) of TCP, and of all bound ones of UDP, by the kernel's tables. */
function listening(): Set<string> {
  const inodes = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) =>
    rows(name)
      .map((row) => row.trim().split(/\s+/))
      .filter((fields) => name.startsWith('udp') || fields[3] === '0A')
      .map((fields) => fields[9] ?? ''),
  )
  return new Set(inodes)
}

function listeningOf(pid: number): string[] {
  const known = listening()
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`)) ?? []
    return known.has(inode) ? [inode] : []
  })
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const isLinux = process.platform === 'linux'

test.skipIf(!isLinux)(
  'a worker only dials out: nothing of it listens, and the master does',
  async () => {
    const cluster = await startCluster()
    const worker = cluster.worker('w', { DARKSTREAM_FFMPEG_GPU: 'off' })
    await cluster.master.line(/worker w joined/)
    expect(listeningOf(cluster.master.pid)).toHaveLength(1)
    expect(listeningOf(worker.pid)).toEqual([])
  },
  60_000,
)

const nginx = Bun.which('nginx', { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` })

test.skipIf(nginx === null)(
  'through nginx with TLS and a path of its own a film goes to a worker without the mount, and comes back converted',
  async () => {
    const base = temporaryFolder()
    const cluster = await startCluster({
      DARKSTREAM_SERVER_TRUSTED_PROXIES: '127.0.0.1',
      DARKSTREAM_SERVER_INSECURE: 'false',
      DARKSTREAM_SERVER_BASE_PATH: '/dark',
    })
    const { worker: token } = JSON.parse(
      readFileSync(`${cluster.environment['DARKSTREAM_DATABASE_PATH']}-secret`, 'utf8'),
    ) as { worker: string }
    const { cert, key } = selfSigned(['media.example'], new Date())
    const port = freePort()
    writeFileSync(join(base, 'cert.pem'), cert)
    writeFileSync(join(base, 'key.pem'), key, { mode: 0o600 })
    mkdirSync(join(base, 'temp'))
    writeFileSync(join(base, 'nginx.conf'), configuration(base, port, cluster.url))
    const proxy = Bun.spawn([nginx ?? '', '-p', base, '-c', join(base, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    try {
      const url = `https://127.0.0.1:${port}`
      const trust = ['--token', token, '--pin', pinOf(cert), '--id', 'w']
      const worker = start(['worker', '--master', `${url}/dark`, ...trust], {
        environment: {
          DARKSTREAM_FFMPEG_GPU: 'off',
          DARKSTREAM_WORKER_JOB_CHECK_INTERVAL: '50ms',
          DARKSTREAM_STORAGE_MODE: 'http',
        },
      })
      await cluster.master.line(/worker w joined/)
      place(await clips.path('plain.mkv'), join(cluster.source, 'film.mkv'))
      await cluster.master.line(/job completed/)
      expect(worker.output()).not.toContain('ERROR')
      const act = (path: string, origin: string) =>
        fetch(`${url}${path}`, { method: 'POST', headers: { Origin: origin }, tls: { rejectUnauthorized: false } })
      // The right origin gets as far as being asked for a token.
      expect((await act('/dark/api/retry', `https://127.0.0.1:${port}`)).status).toBe(401)
      expect((await act('/dark/api/retry', 'https://evil.example')).status).toBe(403)
      expect((await act('/dark/api/retry', `http://127.0.0.1:${port}`)).status).toBe(403)
    } finally {
      proxy.kill('SIGTERM')
      await proxy.exited
    }
  },
  60_000,
)

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port = 0 } = server
  void server.stop(true)
  return port
}

/** As a person writes it who knows nothing of us. */
function configuration(base: string, port: number, upstream: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${base}/nginx.pid;
error_log ${base}/error.log;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${base}/temp/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${base}/cert.pem;
    ssl_certificate_key ${base}/key.pem;
    location /dark/ {
      proxy_pass ${upstream};
      client_max_body_size 0;
      proxy_request_buffering off;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`
}
