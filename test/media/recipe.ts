/** One clip of the corpus: how ffmpeg makes it, and what it holds, from which follows what must come out of it. */
export interface Recipe {
  /** Its file name. */
  name: string
  /** What is odd about it, in a few words. */
  about: string
  /** ffmpeg's arguments but the output, run in the corpus' folder; none where `from` is only altered. */
  argv: readonly string[]
  /** The clip that must be there first: it is read by `argv`, or is what is altered. */
  from?: string
  /** What becomes of the bytes afterwards. */
  alter?: (bytes: Buffer) => Uint8Array
  /** What it holds; null for what is no video that anything could come out of. */
  holds: Contents | null
  /** The sentence that it must be refused with; left out for what converts. */
  refused?: RegExp
}

/** What a clip shows and carries. */
export interface Contents {
  /** As a player shows it, in square pixels, the odd last line or column cut off. */
  size: readonly [width: number, height: number]
  /** Pictures shown. Null where its own count is not certain. */
  frames: number | null
  /** Whether its pictures carry their numbers as a pattern that is still legible after an encode. */
  is_numbered: boolean
  /** Bits per sample. */
  depth: number
  /** As it is tagged, by ffprobe's names; null for a clip without tags. */
  color: ColorSaid | null
  hdr: { mastering: boolean; light_level: boolean } | null
  has_alpha: boolean
  sounds: readonly SoundSaid[]
  subtitles: readonly SubtitleSaid[]
  /** Titles of the chapters. */
  chapters: readonly string[]
  attachments: number
  covers: number
  /** Tracks of data and time codes, and further films. */
  data: number
  films: number
  title: string | null
  /** Whether it has flashes with beeps. */
  has_clap: boolean
}

/** What the pixels mean, by ffprobe's names; null for what is not said. */
export interface ColorSaid {
  range: string | null
  primaries: string | null
  transfer: string | null
  matrix: string | null
}

/** A sound track. */
export interface SoundSaid {
  codec: string
  layout: string
  language?: string
  title?: string
  is_default?: boolean
}

/** A track of subtitles. */
export interface SubtitleSaid {
  codec: string
  language?: string
  title?: string
  is_default?: boolean
  is_forced?: boolean
}

const plain: Contents = {
  size: [256, 128],
  frames: 30,
  is_numbered: true,
  depth: 8,
  color: null,
  hdr: null,
  has_alpha: false,
  sounds: [],
  subtitles: [],
  chapters: [],
  attachments: 0,
  covers: 0,
  data: 0,
  films: 1,
  title: null,
  has_clap: false,
}

/** Arguments, in groups for the eye. */
export type Argv = readonly (string | Argv)[]

/** A clip that converts. What it holds is a silent numbered film of 30 pictures, 256 x 128, unless told. */
export function clip(
  name: string,
  about: string,
  argv: Argv,
  holds: Partial<Contents> = {},
  more: Pick<Recipe, 'from' | 'alter'> = {},
): Recipe {
  const hasClap = (holds.sounds ?? []).length > 0
  return { name, about, argv: spell(argv), holds: { ...plain, has_clap: hasClap, ...holds }, ...more }
}

/** A clip that must be refused with a sentence. */
export function bad(
  name: string,
  about: string,
  refused: RegExp,
  argv: Argv,
  more: Pick<Recipe, 'from' | 'alter'> = {},
): Recipe {
  return { name, about, argv: spell(argv), holds: null, refused, ...more }
}

function spell(argv: Argv): string[] {
  return argv.flatMap((part) => (typeof part === 'string' ? [part] : spell(part)))
}
