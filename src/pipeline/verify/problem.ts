/** A way in which a result differs from what it should be. */
export interface Problem {
  message: string
  /** Whether the source is at fault, so that another attempt would end the same. */
  is_in_source: boolean
}
