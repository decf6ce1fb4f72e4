/** The file that settings come from. */
export const config = {
  config: {
    type: 'string',
    valueHint: 'file',
    description: 'Configuration file (default: config.yaml here, if there is one)',
  },
} as const

/** How the log is written. */
export const logging = {
  'log-level': { type: 'string', valueHint: 'level', description: 'error, warn, info or debug' },
  'log-format': { type: 'string', valueHint: 'format', description: 'text or json' },
} as const

/** What a master's certificate is believed by. */
export const trusting = {
  ca: {
    type: 'string',
    valueHint: 'file',
    description: "Root that signed the master's certificate, besides the system's",
  },
  pin: {
    type: 'string',
    valueHint: 'pin',
    description: 'The one certificate to believe, sha256:..., as the master prints it',
  },
} as const

/** Where the master is, and what it takes to be let in. */
export const asking = {
  'master-url': {
    type: 'string',
    valueHint: 'url',
    description: 'Where the master is (default: http://localhost:8080)',
  },
  token: { type: 'string', valueHint: 'token', description: 'Token, better given as DARKSTREAM_WORKER_TOKEN' },
  ...trusting,
  config: { type: 'string', valueHint: 'file', description: 'Configuration file that says where the master is' },
} as const

/** Answers for programs. */
export const json = { json: { type: 'boolean', description: 'Print JSON for programs' } } as const

/** What results shall be. */
export const conversion = {
  codec: { type: 'string', valueHint: 'codec', description: 'h264, hevc, av1, vp9, ffv1 or prores (default: h264)' },
  resolution: {
    type: 'string',
    valueHint: 'box',
    description: 'Box that the picture must fit into (default: 1920x1080)',
  },
  bitrate: { type: 'string', valueHint: 'rate', description: 'Video bits per second (default: 5M)' },
  preset: { type: 'string', valueHint: 'preset', description: 'ultrafast ... veryslow (default: fast)' },
  'audio-codec': { type: 'string', valueHint: 'codec', description: 'aac, opus or copy (default: aac)' },
  'audio-bitrate': {
    type: 'string',
    valueHint: 'rate',
    description: 'Bits per second of a stereo track (default: 128k)',
  },
  container: { type: 'string', valueHint: 'format', description: 'mp4, mkv, webm or mov (default: mp4)' },
  overwrite: { type: 'boolean', description: 'Replace files in OUTPUT that were not made by darkstream' },
} as const

/** Jobs by their ids. */
export const jobIds = {
  job_id: { type: 'positional', required: true, description: 'Id of a job, as `darkstream jobs` shows it' },
} as const
