import type { Layout } from './layout.ts'
import { structs } from './layout.ts'

/** A piece of memory that C may read and write. */
export interface Block {
  bytes: Uint8Array
  view: DataView
  address: bigint
}

/**
 * Memory for one instance: zeroed, and referenced until this is given up, since a block whose address lies only in
 * another block would be collected.
 */
export class Memory {
  readonly #kept: Block[] = []
  readonly #addressOf: (bytes: Uint8Array) => bigint

  constructor(addressOf: (bytes: Uint8Array) => bigint) {
    this.#addressOf = addressOf
  }

  block(size: number): Block {
    // A small typed array moves when its `buffer` is first touched; one over an ArrayBuffer stays.
    const buffer = new ArrayBuffer(Math.max(size, 8))
    const bytes = new Uint8Array(buffer)
    const block = { bytes, view: new DataView(buffer), address: this.#addressOf(bytes) }
    this.#kept.push(block)
    return block
  }

  /** A struct with its `sType` set, and `pNext` when there is a next one. */
  struct(layout: Layout, next?: Block): Block {
    const block = this.block(layout.size)
    writeHead(block.view, 0, layout, next?.address)
    return block
  }

  /** A C string. */
  text(text: string): Block {
    const encoded = new TextEncoder().encode(`${text}\0`)
    const block = this.block(encoded.length)
    block.bytes.set(encoded)
    return block
  }

  /** A C array of C strings. */
  texts(texts: readonly string[]): Block {
    const block = this.block(texts.length * 8)
    for (const [index, text] of texts.entries()) block.view.setBigUint64(index * 8, this.text(text).address, true)
    return block
  }

  /** Gives it up. To be called when the instance is gone; what calls it has kept us referenced until then. */
  release(): void {
    this.#kept.length = 0
  }
}

/** Writes `sType` and `pNext` of the struct at `offset`. */
export function writeHead(view: DataView, offset: number, layout: Layout, next = 0n): void {
  if (layout.type === null) return
  view.setUint32(offset, layout.type, true)
  view.setBigUint64(offset + 8, next, true)
}

/** The part of a view that one struct of an array takes. */
export function element(view: DataView, index: number, name: keyof typeof structs): DataView {
  const { size } = structs[name]
  return new DataView(view.buffer, view.byteOffset + index * size, size)
}
