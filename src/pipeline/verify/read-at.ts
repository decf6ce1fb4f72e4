/** Reads bytes of a file at a place: fewer than asked for where it ends. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>

/** A fault of a container, a clause about the file; null when it is whole. */
export type ContainerFault = string | null
