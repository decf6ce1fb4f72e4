import { arch, platform } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }

/** Set by `build.ts` when it compiles; from source there is none. */
declare const buildCommit: string | undefined
declare const buildTarget: string | undefined

export const version = packageJson.version

/** `darkstream 0.1.0 (commit 1a2b3c4, linux-x64)` */
export function versionLine(): string {
  const commit = typeof buildCommit === 'undefined' ? 'from source' : `commit ${buildCommit}`
  const target = typeof buildTarget === 'undefined' ? `${platform()}-${arch()}` : buildTarget
  return `darkstream ${version} (${commit}, ${target})`
}

/** What starts this program again; what is to be done comes after it. */
export function ownCommand(): readonly string[] {
  const isCompiled = typeof buildTarget !== 'undefined'
  return isCompiled ? [process.execPath] : [process.execPath, Bun.main]
}
