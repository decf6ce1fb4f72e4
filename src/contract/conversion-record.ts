import * as v from 'valibot'
import { ConversionSettings } from './conversion.ts'
import { Name } from './fields.ts'
import { SourceFacts } from './profile.ts'

/** What a conversion, or the decision against it, was made from; null where its worker does not tell. */
export const ConversionRecord = v.object({
  source_facts: v.nullable(SourceFacts),
  /** The name of the profile that held; null also when none did. */
  profile: v.nullable(Name()),
  /** Those in force, after the profile. */
  settings: v.nullable(ConversionSettings),
})
export type ConversionRecord = v.InferOutput<typeof ConversionRecord>
