import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { useClips } from '../support/clips.ts'
import { eventually, executable } from '../support/program.ts'
import { bootSystemd } from '../support/systemd.ts'

const system = await bootSystemd('the services under a real systemd')
const clips = useClips()
const config = '/etc/darkstream/config.yaml'

/** What a command of the machine writes; it must end well. */
async function done(...argv: string[]): Promise<string> {
  const { code, output } = await (system?.run(argv) ?? Promise.reject(new Error('no systemd')))
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}:\n${output}`)
  return output.trim()
}

const ends = async (...argv: string[]) => system?.run(argv)
const install = (...words: string[]) => ends('darkstream', 'service', 'install', ...words)
const property = (role: string, name: string) =>
  done('systemctl', 'show', '--value', `--property=${name}`, `darkstream-${role}`)
const modeOf = (path: string) => done('stat', '--format=%a %U:%G', path)

async function jobs(): Promise<{ status: string; source_path: string }[]> {
  return (JSON.parse(await done('darkstream', 'jobs', '--config', config, '--json')) as { jobs: [] }).jobs
}

/** Puts a clip among the sources, old enough to be taken at once. */
async function place(clip: string, name: string): Promise<void> {
  copyFileSync(clip, system?.path(`/srv/films/${name}`) ?? '')
  await done('touch', '--date=1 hour ago', `/srv/films/${name}`)
}

const hasEnded = (name: string) =>
  eventually(async () =>
    (await jobs()).find((job) => job.source_path.endsWith(`/${name}`) && job.status === 'completed'),
  )

// What one test installs the next ones use, as on a machine that people work with.
describe.skipIf(system === undefined)('under a real systemd', () => {
  beforeAll(async () => {
    copyFileSync(executable, system?.path('/usr/local/bin/darkstream') ?? '')
    await done('chmod', '755', '/usr/local/bin/darkstream')
    await done('mkdir', '--mode=700', '/srv/films', '/srv/converted')
    const answers = ['both', '/srv/films', '/srv/converted', '', '', '', '', ''].map((line) => `${line}\n`).join('')
    expect(await system?.run(['darkstream', 'init', config], answers)).toMatchObject({ code: 0 })
    const changes = [
      's/scan_interval: 10m/scan_interval: 1s/',
      's/preset: fast/preset: slower/',
      's/gpu: prefer/gpu: off/',
    ]
    await done('sed', '--in-place', ...changes.flatMap((change) => ['-e', change]), config)
  })

  afterAll(() => system?.stop())

  test('what the account may not do is told with its remedy before anything is installed', async () => {
    const refused = await install('master')
    expect(refused).toMatchObject({ code: 1 })
    expect(refused?.output).toContain('it cannot read scanner.root_path /srv/films: setfacl')
    expect(refused?.output).toContain('it cannot write to scanner.output_base /srv/converted: chown')
    expect(await modeOf(config)).toBe('600 root:root')
    expect(await ends('systemctl', 'cat', 'darkstream-master')).toMatchObject({ code: 1 })
  })

  test('both roles run as an account of their own, and what they keep is theirs alone', async () => {
    await done('chmod', '755', '/srv/films')
    await done('chown', 'darkstream', '/srv/converted')
    // A folder of the master's own is made, where that is all that lacks.
    await done('sed', '--in-place', 's#^  output_path: null#  output_path: /var/log/darkstream/log.txt#', config)
    for (const role of ['master', 'worker']) {
      const { code, output } = (await install(role)) ?? {}
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('it runs, now and after each boot') })
      expect(await property(role, 'ActiveState')).toBe('active')
      expect(await property(role, 'User')).toBe('darkstream')
    }
    expect(await modeOf(config)).toBe('640 root:darkstream')
    expect(await modeOf('/var/log/darkstream')).toBe('755 darkstream:darkstream')
    for (const folder of ['/var/lib/darkstream', '/var/cache/darkstream']) {
      expect(await modeOf(folder)).toBe('700 darkstream:darkstream')
    }
    expect(await modeOf('/var/lib/darkstream/jobs.db-secret')).toBe('600 darkstream:darkstream')
  }, 60_000)

  test('a film is converted, and what is told of it goes to the journal without a secret', async () => {
    await place(await clips.path('plain.mkv'), 'a.mkv')
    await hasEnded('a.mkv')
    expect(await modeOf('/srv/converted/a.mp4')).toBe('644 darkstream:darkstream')
    const journal = await done('journalctl', '--unit=darkstream-worker', '--output=short', '--no-pager')
    expect(journal).toMatch(/darkstream-worker\[\d+\]: INFO {2}handed in: completed/)
    expect(await done('journalctl', '--unit=darkstream-*', '--output=cat', '--no-pager')).not.toContain('dsw_')
  }, 60_000)

  test('it may write to the folders of its configuration only, and use the devices of GPUs', async () => {
    const pid = await property('worker', 'MainPID')
    await done('mknod', '--mode=660', '/dev/gpu', 'c', '1', '3')
    await done('chgrp', 'video', '/dev/gpu')
    const groups =
      /^Groups:\s*(.*)$/m
        .exec(await done('cat', `/proc/${pid}/status`))?.[1]
        ?.trim()
        .split(/\s+/) ?? []
    const as = ['setpriv', '--reuid=darkstream', '--regid=darkstream', `--groups=${groups.join(',')}`]
    const there = (...argv: string[]) => ends('nsenter', `--target=${pid}`, '--mount', ...as, ...argv)
    for (const path of ['/etc/x', '/srv/x', '/srv/films/x', '/usr/x', '/var/x']) {
      expect(await there('touch', path)).toMatchObject({ output: expect.stringContaining('Read-only file system') })
    }
    for (const path of ['/srv/converted/x', '/var/lib/darkstream/x', '/var/cache/darkstream/x', '/tmp/x']) {
      expect(await there('touch', path)).toMatchObject({ code: 0 })
    }
    expect(await there('sh', '-c', 'echo x >/dev/gpu')).toEqual({ code: 0, output: '' })
    expect(await done('cat', `/proc/${pid}/status`)).toMatch(/^CapBnd:\s*0+$/m)
    const others = await ends('nsenter', `--target=${await property('master', 'MainPID')}`, '--mount', 'ls', '/dev/gpu')
    expect(others).toMatchObject({ code: 2 })
  })

  test('a stop lets the running job end and hand in its result', async () => {
    await place(await clips.path('long.mp4'), 'long.mp4')
    await eventually(async () => (await ends('pgrep', '--exact', 'ffmpeg'))?.code === 0)
    await done('systemctl', 'stop', 'darkstream-worker')
    expect(await property('worker', 'Result')).toBe('success')
    expect(await jobs()).toContainEqual(
      expect.objectContaining({ source_path: '/srv/films/long.mp4', status: 'completed' }),
    )
    expect(await modeOf('/srv/converted/long.mp4')).toBe('644 darkstream:darkstream')
    await done('systemctl', 'start', 'darkstream-worker')
  }, 120_000)

  test('killed it comes back, and hung it is killed', async () => {
    for (const role of ['master', 'worker']) {
      const folder = `/etc/systemd/system/darkstream-${role}.service.d`
      await done('mkdir', folder)
      await done('sh', '-c', `printf '[Service]\\nWatchdogSec=2\\nRestartSec=1\\n' >${folder}/own.conf`)
    }
    await done('systemctl', 'daemon-reload')
    await done('systemctl', 'restart', 'darkstream-master', 'darkstream-worker')
    for (const [signal, restarts] of [
      ['KILL', '1'],
      ['STOP', '2'],
    ] as const) {
      for (const role of ['master', 'worker']) {
        await done('systemctl', 'kill', `--signal=${signal}`, '--kill-who=main', `darkstream-${role}`)
        await eventually(async () => (await property(role, 'NRestarts')) === restarts)
        await eventually(async () => (await property(role, 'ActiveState')) === 'active')
      }
    }
    // What lines weigh the journal knows, to choose by.
    const warnings = await done(
      'journalctl',
      '--unit=darkstream-worker',
      '--priority=warning',
      '--output=cat',
      '--no-pager',
    )
    expect(warnings).toMatch(/^WARN {2}cannot ask for a job/m)
    expect(warnings).not.toContain('INFO')
  }, 120_000)

  test('installed again it keeps its account, its configuration and what was added to it', async () => {
    await done('useradd', '--no-create-home', 'media')
    expect(await install('worker', '--user', 'media')).toMatchObject({
      code: 2,
      output: expect.stringContaining('share'),
    })
    expect(await install('worker')).toMatchObject({ code: 0 })
    expect(await property('worker', 'User')).toBe('darkstream')
    expect(await property('worker', 'ExecStart')).toContain(`--config ${config}`)
    expect(await property('worker', 'WatchdogUSec')).toBe('2s')
  }, 60_000)

  test('a configuration that it cannot get to, under an odd name, and a queue that commands do not find, are told', async () => {
    const odd = `/root/it's 50% $HOME.yaml`
    await done('cp', config, odd)
    const hidden = await install('master', '--config', odd)
    expect(hidden?.code).toBe(1)
    expect(hidden?.output).toMatch(/cannot get through \/root to the configuration .*: move that to \/etc\/darkstream/)
    const there = `/etc/it's 50% $HOME.yaml`
    await done('mv', odd, there)
    await done('sed', '--in-place', 's#path: /var/lib/darkstream/jobs.db#path: ./jobs.db#', there)
    const { code, output } = (await install('master', '--config', there)) ?? {}
    expect(code).toBe(0)
    expect(output).toContain('with /var/lib/darkstream/jobs.db commands find it anywhere')
    expect(output).toContain(`token create worker --config '/etc/it'\\''s 50% $HOME.yaml'`)
    // The same queue, and every word of the name as it is.
    expect((await jobs()).length).toBe(2)
    expect(await install('master', '--config', config)).toMatchObject({ code: 0 })
  }, 60_000)

  test('what is wrong in the configuration is no reason to start again and again, and installs nothing', async () => {
    await done('cp', config, '/root/config.yaml')
    await done('sh', '-c', `echo 'servers: {}' >>${config}`)
    expect(await install('master')).toMatchObject({ code: 2, output: expect.stringContaining('servers') })
    expect(await property('master', 'ActiveState')).toBe('active')
    expect(await ends('systemctl', 'restart', 'darkstream-master')).toMatchObject({ code: 1 })
    expect(await property('master', 'ActiveState')).toBe('failed')
    await done('cp', '/root/config.yaml', config)
    expect(await install('master')).toMatchObject({ code: 0 })
  }, 60_000)

  test('one that does not stay up is no success, and its last words are told', async () => {
    await done('sed', '--in-place', 's#^  token: null#  token: dsw_wrong#', config)
    const { code, output } = (await install('worker')) ?? {}
    expect(code).toBe(1)
    expect(output).toContain('does not run; the last that it said:')
    expect(output).toContain('the token does not hold here')
    await done('cp', '/root/config.yaml', config)
  }, 60_000)

  test('taken away nothing of it runs or starts, and what it kept stays', async () => {
    for (const role of ['worker', 'master']) {
      expect(await ends('darkstream', 'service', 'uninstall', role)).toMatchObject({ code: 0 })
      expect(await ends('systemctl', 'cat', `darkstream-${role}.service`)).toMatchObject({ code: 1 })
    }
    expect(await ends('pgrep', 'darkstream')).toMatchObject({ code: 1 })
    expect(await modeOf('/var/lib/darkstream/jobs.db')).toContain('darkstream:darkstream')
    const again = await ends('darkstream', 'service', 'uninstall', 'master')
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining('is no service here') })
  }, 60_000)
})
