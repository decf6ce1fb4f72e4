import { lstat, stat } from 'node:fs/promises'
import { DarkstreamError } from '../../contract/error.ts'
import type { PartBody, UploadPart } from '../../contract/files.ts'
import { type FileSum, openSum } from '../../sums/file-sum.ts'
import { appendPart, tooLong } from './append-part.ts'

/**
 * Bytes that come faster than this, on a line of the machine's own, need the cores themselves: their SHA-256 waits until all
 * are here. Of slower ones it is made as they come, while they are still in memory.
 */
const fastBytesPerMs = 500_000

/** Milliseconds between two tries to end a connection on which nothing comes. */
const hangUpMs = 5000

/** A result on its way. */
interface Upload {
  /** Bytes that are here and good; what lies beyond them came in a part that did not end well. */
  size: number
  /** The SHA-256 of the good bytes as they come; undefined where it has to be begun at the first of them. */
  sum: FileSum | undefined
  /** That of all of them, once it was asked for. */
  whole: Promise<string> | undefined
  /** Whether all of it came once, and was other bytes than its worker has. */
  was_wrong: boolean
  /** Parts on their way: the one that is being received, and those that wait for it. */
  incoming: Set<PartBody>
  /** The byte at which the last of them ends. */
  end: number
  /** One part at a time. */
  turn: Promise<unknown>
}

/** Takes results in, part by part, into their staging files. */
export class Uploads {
  private readonly uploads = new Map<string, Upload>()
  private readonly closed = new Set<string>()

  /** Bytes of a staged result that are here and good, once no part is on its way any more. */
  async size(staged: string): Promise<number> {
    const known = this.uploads.get(staged)
    // Who asks has given up what he sent, if that has not ended by itself.
    if (known) await untilOver(known)
    const here = await sizeOf(staged)
    if (known === undefined || known.size <= here) return known?.size ?? here
    this.forget(staged)
    return here
  }

  /**
   * Appends a part, or changes nothing. It waits for one that is still on its way: that goes before it, or its sender has
   * given it up, and then until its connection ends.
   *
   * @throws DarkstreamError `wrong_offset`, also while it is being published, `damaged`, `invalid_request`, or `unavailable` when
   * the disk is full
   */
  async receive(staged: string, part: UploadPart, body: PartBody): Promise<number> {
    if (part.offset + part.length > part.size) throw tooLong(part)
    const upload = this.uploads.get(staged) ?? (await this.begin(staged))
    if (this.closed.has(staged)) throw new DarkstreamError('wrong_offset', 'the result is just being published')
    const before = part.offset === upload.end ? upload.turn : untilOver(upload)
    upload.incoming.add(body)
    upload.end = part.offset + part.length
    const received = before.then(() => take(staged, upload, part, body.stream))
    upload.turn = received.catch(() => {})
    return received.finally(() => upload.incoming.delete(body))
  }

  /**
   * Publishes a result while no part of it is taken in: what a connection that was slow still brings of it, the first part again
   * above all, must not get into what was checked and into what then lies under the result's name.
   *
   * @throws DarkstreamError `wrong_offset` when one is on its way
   */
  async publishing<T>(staged: string, publish: () => Promise<T>): Promise<T> {
    if ((this.uploads.get(staged)?.incoming.size ?? 0) > 0) {
      throw new DarkstreamError('wrong_offset', 'a part of the result is still coming in')
    }
    this.closed.add(staged)
    try {
      return await publish()
    } finally {
      this.closed.delete(staged)
    }
  }

  /**
   * Whether a whole staged file, while it is being published, is of so many bytes and this SHA-256, computed once however often
   * it is asked for.
   *
   * @throws DarkstreamError `wrong_offset` while it is not whole; `damaged` when it is not, for the first time: what a power
   * cut left of it may have been taken for good, and it is to be uploaded anew
   */
  async isAsTold(staged: string, { size, sha256 }: { size: number; sha256: string }): Promise<boolean> {
    // Somebody may have taken it away.
    const here = await sizeOf(staged)
    if ((this.uploads.get(staged)?.size ?? 0) > here) this.forget(staged)
    const upload = this.uploads.get(staged) ?? (await this.begin(staged))
    if (upload.size < size) {
      const rest = 'the rest has to be uploaded first'
      throw new DarkstreamError('wrong_offset', `${upload.size} of the result's ${size} bytes are here: ${rest}`)
    }
    upload.whole ??= wholeSum(staged, upload)
    if ((await upload.whole) === sha256) return true
    if (upload.was_wrong) return false
    forgetSum(upload)
    Object.assign(upload, { was_wrong: true, size: 0 })
    throw new DarkstreamError('damaged', 'the uploaded result has another SHA-256 than it should: upload it once more')
  }

  /** Forgets those whose staging files are gone, which cost room on the disk until then. */
  async prune(): Promise<void> {
    for (const staged of this.uploads.keys()) {
      if (!(await stat(staged).catch(() => undefined))) this.forget(staged)
    }
  }

  private forget(staged: string): void {
    const upload = this.uploads.get(staged)
    if (upload) forgetSum(upload)
    this.uploads.delete(staged)
  }

  private async begin(staged: string): Promise<Upload> {
    const size = await sizeOf(staged)
    const upload = {
      size,
      sum: undefined,
      whole: undefined,
      was_wrong: false,
      incoming: new Set<PartBody>(),
      end: size,
      turn: Promise.resolve(),
    }
    // Two that begin at once are one upload.
    return this.uploads.get(staged) ?? (this.uploads.set(staged, upload), upload)
  }
}

/** What comes meanwhile on its connection puts the hanging up off, so that it is done again. */
async function untilOver({ incoming, turn }: Upload): Promise<void> {
  const hangUps = [...incoming].map((body) => body.hangUp)
  const hangUp = () => hangUps.forEach((act) => act())
  const again = setInterval(hangUp, hangUpMs)
  hangUp()
  await turn.finally(() => clearInterval(again))
}

/** Gives the bytes that are here then. */
async function take(
  staged: string,
  upload: Upload,
  part: UploadPart,
  body: ReadableStream<Uint8Array>,
): Promise<number> {
  if (part.offset !== upload.size && part.offset !== 0) throw wrongOffset(part, upload.size)
  // What was asked for before is the sum of less; from the first byte again comes what is another result.
  if (part.offset === 0 || upload.whole !== undefined) forgetSum(upload)
  upload.size = part.offset
  const begun = performance.now()
  await appendPart(staged, part, body)
  upload.sum ??= openSum(staged)
  upload.size += part.length
  if (part.length / (performance.now() - begun) < fastBytesPerMs) upload.sum.grow(upload.size)
  return upload.size
}

async function wholeSum(staged: string, upload: Upload): Promise<string> {
  const sum = upload.sum ?? openSum(staged)
  upload.sum = undefined
  try {
    return await sum.end(upload.size)
  } catch (error) {
    upload.whole = undefined
    throw error
  } finally {
    sum.close()
  }
}

function forgetSum(upload: Upload): void {
  upload.sum?.close()
  upload.sum = undefined
  upload.whole = undefined
}

async function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  )
}

function wrongOffset({ offset }: UploadPart, size: number): DarkstreamError {
  return new DarkstreamError('wrong_offset', `the part is for byte ${offset}, the result ends at byte ${size}`)
}
