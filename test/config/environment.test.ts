import { expect, test } from 'bun:test'
import { environmentName, readEnvironment } from '../../src/config/environment.ts'

test('a variable is named after section and key', () => {
  expect(environmentName('worker.master_url')).toBe('DARKSTREAM_WORKER_MASTER_URL')
  expect(environmentName('scanner.video_extensions')).toBe('DARKSTREAM_SCANNER_VIDEO_EXTENSIONS')
})

test('a variable sets its key', () => {
  expect(readEnvironment({ DARKSTREAM_WORKER_ID: ' w1\n', PATH: '/bin' })).toEqual({
    settings: [{ key: 'worker.id', origin: { environment: 'DARKSTREAM_WORKER_ID' }, written: 'w1' }],
    problems: [],
  })
})

test('an empty variable sets nothing', () => {
  expect(
    readEnvironment({ DARKSTREAM_SERVER_PORT: '', DARKSTREAM_WORKER_ID: ' ', DARKSTREAM_SERVER_HOST: undefined }),
  ).toEqual({
    settings: [],
    problems: [],
  })
})

test('a name of a known section that is no key is a problem', () => {
  expect(
    readEnvironment({ DARKSTREAM_SERVER_PROT: '1', DARKSTREAM_LOGGING_: '1', DARKSTREAM_SERVER_BITRATE: '1' }).problems,
  ).toEqual([
    {
      source: 'DARKSTREAM_LOGGING_',
      line: null,
      key: 'logging.',
      message: 'unknown key; logging has level, format, output_path',
    },
    {
      source: 'DARKSTREAM_SERVER_BITRATE',
      line: null,
      key: 'server.bitrate',
      message: 'unknown key; it belongs to conversion',
    },
    { source: 'DARKSTREAM_SERVER_PROT', line: null, key: 'server.prot', message: 'unknown key; did you mean port?' },
  ])
})

test('a name that is a letter or two away from a known one is a problem', () => {
  const names = ['DARKSTREAM_WORKR_ID', 'DARKSTREAM_SEVRER_PORT', 'DARKSTREAM_WORKERID', 'DARKSTREAM_server_port']
  const environment = Object.fromEntries(names.map((name) => [name, 'secret']))
  expect(readEnvironment(environment).problems.map(({ source, message }) => [source, message])).toEqual([
    ['DARKSTREAM_SEVRER_PORT', 'unknown variable; did you mean DARKSTREAM_SERVER_PORT?'],
    ['DARKSTREAM_WORKERID', 'unknown variable; did you mean DARKSTREAM_WORKER_ID?'],
    ['DARKSTREAM_WORKR_ID', 'unknown variable; did you mean DARKSTREAM_WORKER_ID?'],
    ['DARKSTREAM_server_port', 'unknown variable; did you mean DARKSTREAM_SERVER_PORT?'],
  ])
})

test('other names are left alone, the mark of child processes among them', () => {
  const names = [
    'DARKSTREAM_WORKER',
    'DARKSTREAM_SERVER',
    'DARKSTREAM_',
    'DARKSTREAM',
    'DARKSTREAM_HOME',
    'DARKSTREAM_TOKEN',
    'MY_DARKSTREAM_SERVER_PORT',
    'darkstream_server_port',
  ]
  expect(readEnvironment(Object.fromEntries(names.map((name) => [name, '1'])))).toEqual({ settings: [], problems: [] })
})
