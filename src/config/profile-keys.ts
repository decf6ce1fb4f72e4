import { videoCodecs } from '../contract/conversion.ts'
import { nearest } from './nearest.ts'
import { PathPattern } from './path-pattern.ts'
import { Bitrate, Duration } from './quantities.ts'
import { codecAliases, type Key, schema } from './schema.ts'
import { Choice, Flag, Integer, ListOf, Name, type ValueType } from './values.ts'

/** A key of a profile: how it is read; whether `null` is a value and not only nothing. */
export interface ProfileKey {
  type: ValueType<unknown>
  isNullable: boolean
}

/** What decides a result's name, or whether it may be written: fixed when a file is found, so one for all. */
const ofAllFiles = new Set(['container', 'overwrite'])

const anyDuration = Duration('0s')
const height = Integer(1, 65_535)
const rate = Bitrate('1', '1000G')

/** A codec as ffprobe names it, or as `conversion.codec` takes it. */
const SourceCodec: ValueType<string> = {
  expected: 'a video codec as ffprobe names it, such as h264 or mpeg2video',
  parse(text) {
    const word = text.trim().toLowerCase()
    const known = Choice(videoCodecs, codecAliases).parse(word)
    if (known !== undefined) return known
    return /^[a-z0-9_]{2,40}$/.test(word) && misspelt(word) === undefined ? word : undefined
  },
  hint(text) {
    const meant = misspelt(text.trim().toLowerCase())
    return meant && `did you mean ${meant}?`
  },
  format: (value) => value,
}

/** Real codecs whose names are a letter away from one of those that darkstream writes. */
const neighbours = new Set([
  'h261',
  'h263',
  'h265',
  'h266',
  'vp3',
  'vp4',
  'vp5',
  'vp6',
  'vp7',
  'vp8',
  'evc',
  'avs',
  'asv1',
  'flv1',
  'avui',
])

/** A name that holds for no file is found out by nobody, so that the likely slips are refused. */
function misspelt(word: string): string | undefined {
  return neighbours.has(word) ? undefined : nearest(word, videoCodecs)
}

const when: Record<string, ValueType<unknown>> = {
  codec: ListOf(SourceCodec, 'a list of video codecs such as [h264, hevc]'),
  min_height: height,
  max_height: height,
  hdr: Flag,
  min_bitrate: rate,
  max_bitrate: rate,
  min_duration: anyDuration,
  max_duration: anyDuration,
  compliant: Flag,
}

/** The parts of a profile that hold keys of their own. */
export const profileParts = ['when', 'conversion'] as const
export type ProfilePart = (typeof profileParts)[number]

/** Every key of a profile by its name, those of parts as `when.codec`, in the order in which they are shown. */
export const profileKeys: ReadonlyMap<string, ProfileKey> = new Map([
  ['name', { type: Name, isNullable: false }],
  [
    'path',
    { type: ListOf(PathPattern, 'a list of patterns such as ["phones/**"]', { separator: null }), isNullable: false },
  ],
  ...Object.entries(when).map(([name, type]): [string, ProfileKey] => [`when.${name}`, { type, isNullable: false }]),
  ['skip', { type: Flag, isNullable: false }],
  ['priority', { type: Integer(0, 10), isNullable: false }],
  ...Object.entries<Key<unknown>>(schema.conversion)
    .filter(([name]) => !ofAllFiles.has(name))
    .map(([name, { type, nullMeans }]): [string, ProfileKey] => [
      `conversion.${name}`,
      { type, isNullable: nullMeans !== undefined },
    ]),
])

/** The names of a part's keys; without a part, those of a profile itself. */
export function profileKeysOf(part: ProfilePart | null): string[] {
  if (part !== null)
    return [...profileKeys.keys()].filter((key) => key.startsWith(`${part}.`)).map((key) => key.slice(part.length + 1))
  return [...[...profileKeys.keys()].filter((key) => !key.includes('.')), ...profileParts]
}

/** What to say of a name that is no key of a profile, or of one of its parts. */
export function unknownProfileKey(part: ProfilePart | null, name: string): string {
  if (part === 'conversion' && ofAllFiles.has(name)) {
    return `not for a profile: a result's name is fixed when its file is found, so conversion.${name} is one for all files`
  }
  const known = profileKeysOf(part)
  const close = nearest(name, known)
  const owners = [null, ...profileParts].filter((other) => other !== part && profileKeysOf(other).includes(name))
  if (owners.length > 0)
    return `unknown key; it belongs to ${owners.map((owner) => owner ?? 'the profile itself').join(' or ')}`
  return close ? `unknown key; did you mean ${close}?` : `unknown key; ${part ?? 'a profile'} has ${known.join(', ')}`
}
