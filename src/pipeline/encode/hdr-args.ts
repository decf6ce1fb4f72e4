import type { MasteringDisplay, StaticHdr } from '../probe/hdr-metadata.ts'

/** For `-x265-params`: chromaticities in 50,000ths, luminance in 10,000ths of a cd/m²; none where there is none. */
export function x265Hdr({ mastering, light }: StaticHdr): string[] {
  return [
    'hdr10=1',
    ...(mastering === null ? [] : [`master-display=${display(mastering, 50_000, 10_000)}`]),
    ...(light === null ? [] : [`max-cll=${light.max_content},${light.max_average}`]),
  ]
}

/** For `-svtav1-params`: plain numbers. */
export function svtHdr({ mastering, light }: StaticHdr): string[] {
  return [
    ...(mastering === null ? [] : [`mastering-display=${display(mastering, null, null)}`]),
    ...(light === null ? [] : [`content-light=${light.max_content},${light.max_average}`]),
  ]
}

/** `G(x,y)B(x,y)R(x,y)WP(x,y)L(most,least)`, in parts of one or, with null, as decimal fractions. */
function display(
  { min_luminance, max_luminance, ...colours }: MasteringDisplay,
  parts: number | null,
  lights: number | null,
) {
  const { red, green, blue, white } = colours
  const points = [`G${pair(green, parts)}`, `B${pair(blue, parts)}`, `R${pair(red, parts)}`, `WP${pair(white, parts)}`]
  return `${points.join('')}L${pair([max_luminance, min_luminance], lights)}`
}

function pair(values: readonly [number, number], parts: number | null): string {
  return `(${values.map((value) => (parts === null ? value.toFixed(5) : Math.round(value * parts))).join(',')})`
}
