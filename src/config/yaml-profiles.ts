import { isMap, isSeq, type YAMLMap } from 'yaml'
import { type ProfilePart, profileKeys, profileParts, unknownProfileKey } from './profile-keys.ts'
import { profilesName, type Written } from './setting.ts'
import { describe, entries, isNothing, isNull, lineOfValue, type NodeReading, readNode } from './yaml-nodes.ts'

/** More than anybody can keep in mind, and each costs a little for every file. */
const maxProfiles = 100

/** A profile as somebody wrote it, not yet read. */
export interface WrittenProfile {
  /** `profiles.2`, counted from 1; what problems with it are named by. */
  key: string
  /** Of its first line. */
  line: number
  /** By the names of `profileKeys`; null where that was written. */
  values: ReadonlyMap<string, { line: number; written: Written | null }>
}

/** The profiles in a node of a file: its structure and the names of keys are checked here, the values are not. */
export function readProfileNodes(reading: NodeReading, node: unknown, at: unknown): WrittenProfile[] {
  if (isNothing(node)) return []
  if (!isSeq(node)) {
    reading.report(at, profilesName, `expected a list of profiles, each with - name: in front, found ${describe(node)}`)
    return []
  }
  if (node.items.length > maxProfiles) {
    reading.report(at, profilesName, `expected at most ${maxProfiles} profiles, found ${node.items.length}`)
    return []
  }
  return node.items.flatMap((item, index) => {
    const key = `${profilesName}.${index + 1}`
    if (isMap(item)) return [readProfileNode(reading, key, item)]
    reading.report(item, key, `expected a profile with a name and what it does, found ${describe(item)}`)
    return []
  })
}

function readProfileNode(reading: NodeReading, key: string, map: YAMLMap): WrittenProfile {
  const values: Map<string, { line: number; written: Written | null }> = new Map()
  readKeys(map, null)
  return { key, line: reading.lineOf(map), values }

  function readKeys(part: YAMLMap, name: ProfilePart | null): void {
    const prefix = name === null ? '' : `${name}.`
    for (const [ownName, pair] of entries(reading, part, `${key}.${prefix}`)) {
      const fullName = prefix + ownName
      const inner = name === null ? profileParts.find((known) => known === ownName) : undefined
      if (inner !== undefined) readPart(inner, pair.value, pair.key)
      else if (!profileKeys.has(fullName)) {
        reading.report(pair.key, `${key}.${fullName}`, unknownProfileKey(name, ownName))
      } else if (!isNothing(pair.value)) {
        const written = readNode(reading, `${key}.${fullName}`, pair.value, profileKeys.get(fullName)?.type)
        if (written !== undefined) values.set(fullName, { line: lineOfValue(reading, pair), written })
      } else if (profileKeys.get(fullName)?.isNullable && isNull(pair.value)) {
        values.set(fullName, { line: reading.lineOf(pair.key), written: null })
      }
    }
  }

  function readPart(name: ProfilePart, node: unknown, at: unknown): void {
    if (isMap(node)) readKeys(node, name)
    else if (!isNothing(node))
      reading.report(at, `${key}.${name}`, `expected keys with values, found ${describe(node)}`)
  }
}
