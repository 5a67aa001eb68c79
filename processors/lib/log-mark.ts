import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/**
 * The bytes just before a position, as a fingerprint: a file that has them at the same place is the same log, whatever
 * its name and inode are by now. Inodes alone will not do: a new file often gets the number of the one just removed,
 * and a copy (copytruncate) has another.
 */
export interface Mark {
  /** How many bytes before the position were taken; 0 says nothing. */
  length: number
  /** SHA-1, hexadecimal. */
  hash: string
}

export const MARK_BYTES = 256

export function markOf(bytesBefore: Buffer): Mark {
  const bytes = bytesBefore.subarray(-MARK_BYTES)
  return { length: bytes.length, hash: createHash('sha1').update(bytes).digest('hex') }
}

/** Does the file have, just before `offset`, the bytes of the mark? Returns them; undefined where it does not. */
export async function bytesOfMark(handle: FileHandle, offset: number, mark: Mark): Promise<Buffer | undefined> {
  const before = await readExactly(handle, offset - mark.length, mark.length)
  return before && markOf(before).hash === mark.hash ? before : undefined
}

/** Up to `MARK_BYTES` bytes just before `offset`. */
export async function bytesBefore(handle: FileHandle, offset: number): Promise<Buffer> {
  const length = Math.min(MARK_BYTES, offset)
  return (await readExactly(handle, offset - length, length)) ?? Buffer.alloc(0)
}

/** The last whole line's end at or before `end`, so that a follower never begins inside a line. */
export async function lastLineEnd(handle: FileHandle, end: number, furthestBack: number): Promise<number> {
  const start = Math.max(0, end - furthestBack)
  const bytes = await readExactly(handle, start, end - start)
  const newline = bytes?.lastIndexOf(0x0a) ?? -1
  if (newline !== -1) return start + newline + 1
  return start === 0 ? 0 : end
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  if (position < 0) return undefined
  const bytes = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const { bytesRead } = await handle.read(bytes, got, length - got, position + got)
    if (bytesRead === 0) return undefined
    got += bytesRead
  }
  return bytes
}
