import { dlopen, type FFIFunction } from 'bun:ffi'

/** The functions of a shared library, by their C names. */
export type Symbols<T extends Record<string, FFIFunction>> = ReturnType<typeof dlopen<T>>['symbols']

/**
 * Opens a library where the system looks for it. Bun tries a name as a file of the current folder too, where anybody may
 * have put one. Throws when it is not there or lacks one of the functions.
 */
export function openLibrary<const T extends Record<string, FFIFunction>>(name: string, prototypes: T): Symbols<T> {
  const folder = process.cwd()
  process.chdir('/')
  try {
    return dlopen(name, prototypes).symbols
  } finally {
    process.chdir(folder)
  }
}
