import type { ExpectedColour } from '../plan/video/hdr.ts'
import { isHdr, type LightLevel, type MasteringDisplay } from '../probe/hdr-metadata.ts'
import type { VideoStream } from '../probe/media-info.ts'

/** How the colour of a result differs from what was planned, a sentence each; empty when it is as it must be. */
export function colourProblems(expected: ExpectedColour | null, { color, hdr }: VideoStream): string[] {
  if (expected === null) return []
  const { tags, mastering, light } = expected
  const wrong = (['transfer', 'primaries', 'matrix'] as const).filter(
    (name) => tags[name] !== null && color[name] !== tags[name],
  )
  return [
    ...wrong.map((name) => `the result's colour ${name} is tagged ${color[name] ?? 'not at all'}, not ${tags[name]}`),
    ...(mastering === null || isSameDisplay(mastering, hdr?.mastering ?? null)
      ? []
      : [
          `the result says ${hdr?.mastering ? 'something else' : 'nothing'} of the screen that the HDR film was made on`,
        ]),
    ...(light === null || isSameLight(light, hdr?.light ?? null)
      ? []
      : [`the result says ${hdr?.light ? 'something else' : 'nothing'} of the light of the HDR film`]),
    ...(!isHdr(tags) && (hdr?.mastering ?? hdr?.light)
      ? ['the result is SDR, and still says what the light of the HDR film was']
      : []),
  ]
}

/** AV1 counts chromaticities in 65,536ths, and luminance in 256ths and 16,384ths. */
const tolerance = { chromaticity: 0.0001, least: 0.0002, most: 0.01 }

function isSameDisplay(one: MasteringDisplay, other: MasteringDisplay | null): boolean {
  if (other === null) return false
  const colours = ['red', 'green', 'blue', 'white'] as const
  return (
    colours.every((name) =>
      one[name].every((value, axis) => isNear(value, other[name][axis], tolerance.chromaticity)),
    ) &&
    isNear(one.min_luminance, other.min_luminance, tolerance.least) &&
    isNear(one.max_luminance, other.max_luminance, tolerance.most)
  )
}

function isSameLight(one: LightLevel, other: LightLevel | null): boolean {
  return one.max_content === other?.max_content && one.max_average === other.max_average
}

function isNear(one: number, other: number | undefined, by: number): boolean {
  return other !== undefined && Math.abs(one - other) <= by
}
