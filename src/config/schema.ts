import { audioChannels, audioCodecs, containers, presets, videoCodecs } from '../contract/conversion.ts'
import type { ConfiguredProfile } from '../contract/profile.ts'
import { logLevels } from '../util/log.ts'
import { Age } from './age.ts'
import { Bitrate, Duration, Ratio, Resolution, Size } from './quantities.ts'
import { PathMappingText } from './path-mapping.ts'
import { Verify } from './verify.ts'
import {
  Choice,
  Extension,
  Flag,
  Host,
  HostPattern,
  HttpUrl,
  Integer,
  ListOf,
  Name,
  Network,
  Path,
  Pin,
  Token,
  UrlPath,
  type ValueType,
} from './values.ts'

/** One setting: how it is read, what it is when nobody sets it, and what it does. */
export interface Key<T> {
  type: ValueType<unknown>
  /** The default. */
  fallback: T
  /** What the default null stands for; undefined where null is no value. */
  nullMeans?: string
  /** One line for people. */
  doc: string
}

/** Other spellings of video codecs. */
export const codecAliases = { h265: 'hevc', 'h.265': 'hevc', 'h.264': 'h264' } as const

/** Every section and key, with its rule, its default as people write it, and what it does. */
export const schema = {
  server: {
    port: key(Integer(0, 65_535), '8080', 'TCP port that the master listens on; 0 takes any free one'),
    host: key(Host, '0.0.0.0', 'address that the master listens on; 127.0.0.1 for this machine only'),
    insecure: optional(Flag, 'true on 127.0.0.1 and localhost, else false', 'answer everybody, without a token'),
    discovery: key(Flag, 'true', 'answer workers that look for a master on the local network'),
    base_path: key(UrlPath, '/', 'path of URLs below which the API lies, as behind a proxy that passes it on'),
    trusted_proxies: optional(
      ListOf(Network, 'a list of addresses and networks such as [127.0.0.1, 10.0.0.0/8]'),
      'nobody',
      'proxies whose X-Forwarded-* and Forwarded headers count',
    ),
    allowed_hosts: optional(
      ListOf(HostPattern, 'a list of host names such as [media.example]'),
      'only names of this machine',
      'further names by which browsers may ask a master without tokens',
    ),
    tls_cert: optional(Path, 'no TLS', 'PEM file of the certificate, with those that lead to its root after it'),
    tls_key: optional(Path, 'no TLS', 'PEM file of the private key of the certificate'),
    self_signed: key(Flag, 'false', 'TLS with a certificate that the master makes; workers know it by its pin'),
  },
  scanner: {
    root_path: key(Path, '/mnt/storage/videos', 'folder with the source videos'),
    video_extensions: key(
      ListOf(Extension, 'a list of file extensions such as [.mp4, .mkv]'),
      // The contract's documented list, no wider: `.ts` and `.vob` are also source code and whole DVDs.
      '.mp4, .mkv, .mov, .avi, .flv, .webm, .m4v',
      'which files are videos; upper or lower case does not matter',
    ),
    output_base: key(Path, '/mnt/storage/converted', 'folder that gets the results, in the same subfolders'),
    recursive_depth: key(Integer(-1, 1000), '-1', 'levels of subfolders to look into; 0 for none, -1 for all'),
    scan_interval: key(Duration('1s', { zero: true }), '10m', 'pause between two scans; 0 scans once only'),
    settle_time: key(Duration('0s'), '10s', 'how long a file must have stayed unchanged before it is taken'),
    watch: key(Flag, 'true', 'take new files as soon as the system reports them, between scans'),
  },
  database: {
    path: key(Path, './jobs.db', 'SQLite file of the queue; must be on a local disk'),
    keep_history: key(Age, '90d', 'how long ended attempts are kept that a later one has followed; 0: for ever'),
  },
  queue: {
    max_retries: key(Integer(0, 100), '3', 'how often a failed job is tried again'),
    retry_delay: key(Duration('0s'), '10s', 'pause before the first retry; it doubles with each one'),
    max_retry_delay: key(Duration('0s'), '10m', 'longest pause before a retry'),
    worker_timeout: key(Duration('1s'), '2m', 'a worker that was silent this long is lost, its jobs go back'),
  },
  conversion: {
    target_resolution: key(Resolution, '1920x1080', 'box that the picture must fit into; it is never enlarged'),
    codec: key(
      Choice(videoCodecs, codecAliases),
      'h264',
      'video codec of the results; ffv1 is lossless, prores is 422 HQ',
    ),
    bitrate: key(Bitrate('10k', '1G'), '5M', 'video bits per second, on average; not for ffv1 and prores'),
    preset: key(Choice(presets), 'fast', 'speed against size, as x264 names it'),
    audio_codec: key(Choice(audioCodecs), 'aac', 'audio codec of the results; copy keeps a track where possible'),
    audio_bitrate: key(Bitrate('6k', '2M'), '128k', 'bits per second of a stereo track; more for each further channel'),
    container: key(Choice(containers), 'mp4', 'file format of the results'),
    overwrite: key(Flag, 'false', 'replace a foreign file that already lies where a result belongs'),
    quality: optional(Integer(1, 100), 'the bitrate decides', 'one scale of quality over all encoders, 100 the best'),
    max_bitrate: optional(Bitrate('10k', '1G'), 'no bound', 'video bits per second that peaks may not exceed'),
    two_pass: key(Flag, 'false', 'look at each film twice to hold the bitrate; CPU encoders of h264, hevc and vp9'),
    audio_channels: key(Choice(audioChannels), 'keep', 'mix tracks with more channels down to this'),
    max_size_ratio: optional(
      Ratio(0.01, 10),
      'no bound',
      'skip what would be no smaller than this share of its source',
    ),
    verify: key(Verify, 'samples', 'what is decoded of each result, and what its picture must reach'),
  },
  replace: {
    enabled: key(Flag, 'false', "each checked result takes its source's place; output_base is not used"),
    keep_originals: key(Age, '7d', 'how long the originals are kept aside for undo; 0: for ever'),
    hard_links: key(Choice(['skip', 'replace']), 'skip', 'what becomes of sources that have further names'),
  },
  worker: {
    id: optional(Name, 'the host name', 'name of this worker; must differ between workers'),
    concurrency: optional(Integer(1, 64), 'one per four CPU cores, at least one', 'conversions at the same time'),
    master_url: key(HttpUrl, 'http://localhost:8080', 'where the worker finds its master'),
    token: optional(Token, 'no token', "what the master's join line says; better in a file or in the environment"),
    token_file: optional(Path, 'no file', 'a file with the token, for its owner alone'),
    ca: optional(
      Path,
      'the roots of this system',
      'PEM file of a root that may sign the certificate of the master, too',
    ),
    pin: optional(Pin, 'any that a root has signed', 'the one certificate of the master that holds'),
    discovery: key(Flag, 'true', 'look for a master on the local network where master_url is not set'),
    heartbeat_interval: key(Duration('100ms'), '30s', 'pause between two signs of life'),
    job_check_interval: key(Duration('10ms'), '5s', 'pause between two questions for work'),
    prefetch: key(Integer(0, 1), '1', 'sources that are fetched over HTTP while another encodes, for each conversion'),
    job_timeout: key(Duration('1s'), '2h', 'longest time for a whole job'),
  },
  storage: {
    mode: key(Choice(['auto', 'mount', 'http']), 'auto', 'how sources come and results go: the shared mount, or HTTP'),
    mount_path: optional(Path, 'no check', 'a worker claims nothing while this folder is missing or empty'),
    path_map: optional(
      { ...ListOf(PathMappingText, 'paths of the master with those of this host'), hasPairs: true },
      'the same paths as the master',
      "the master's folders by their names on this host",
    ),
    download_timeout: key(Duration('1s'), '30m', 'longest wait for a source to come over HTTP, or to be opened'),
    max_bandwidth: optional(Bitrate('64k', '1000G'), 'no limit', 'bits per second of all transfers of a worker'),
    cache_path: optional(Path, "a folder of this user in the system's temporary folder", "the worker's scratch folder"),
    max_cache: key(Size, '50G', 'room for sources in the scratch folder, kept for retries; 0: no limit'),
    min_free: key(Size, '1G', 'a worker claims nothing while less is free for cache or results; 0: no check'),
  },
  ffmpeg: {
    path: key(Path, 'ffmpeg', 'the ffmpeg program; ffprobe is looked for beside it'),
    gpu: key(
      Choice(['require', 'prefer', 'off']),
      'prefer',
      'prefer falls back to the CPU, require fails instead, off',
    ),
    use_vulkan: key(Flag, 'true', 'false is the same as gpu: off'),
    timeout: key(Duration('1s'), '2h', 'longest run of one ffmpeg'),
    stall_timeout: key(Duration('1s'), '5m', 'an ffmpeg without progress for this long is stopped'),
  },
  vulkan: {
    preferred_device: key(Name, 'auto', "a GPU's name, part of it or number; auto takes all GPUs, the best first"),
    slots: optional(Integer(1, 64), 'worker.concurrency', 'conversions at the same time on each GPU'),
    enable_validation: key(Flag, 'false', 'let the Vulkan validation layer watch detect and show its messages'),
  },
  logging: {
    level: key(Choice(logLevels, { warning: 'warn' }), 'info', 'least important lines that are written'),
    format: key(Choice(['text', 'json']), 'text', 'text for people, json for log collectors'),
    output_path: optional(Path, 'none', 'file that gets every line too'),
  },
}

type Schema = typeof schema
/** A section's name, such as `server`. */
export type SectionName = keyof Schema
/** A key with its section, such as `server.port`. */
export type KeyName = { [S in SectionName]: `${S}.${keyof Schema[S] & string}` }[SectionName]

/** Every key with a value. Durations are whole milliseconds, bitrates bits per second; null as the key says. */
export type Sections = {
  [S in SectionName]: { [K in keyof Schema[S]]: Schema[S][K] extends { fallback: infer T } ? T : never }
}

/** All settings. */
export type Config = Sections & {
  /** In the order in which they are asked: the first that holds for a source is the one. */
  profiles: readonly ConfiguredProfile[]
}

/** All keys by their full name, in the order of the schema. */
export const keys: ReadonlyMap<KeyName, Key<unknown>> = new Map(
  Object.entries(schema).flatMap(([section, sectionKeys]) =>
    Object.entries(sectionKeys).map(([name, declared]) => [`${section}.${name}` as KeyName, declared]),
  ),
)

/** Whether a text is the full name of a key. */
export function isKeyName(name: string): name is KeyName {
  return keys.has(name as KeyName)
}

/** A key that always has a value; the default goes through the same rule as everyone's. */
function key<T>(type: ValueType<T>, written: string, doc: string): Key<T> {
  const fallback = type.parse(written)
  if (fallback === undefined) throw new TypeError(`the default ${written} is not ${type.expected}`)
  return { type, fallback, doc }
}

/** A key that is null unless somebody sets it. */
function optional<T>(type: ValueType<T>, nullMeans: string, doc: string): Key<T | null> {
  return { type, fallback: null, nullMeans, doc }
}
