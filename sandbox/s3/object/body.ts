/** Bytes on their way: from a request or another object into an encrypted file, and back. Small ones in one piece, large ones in constant memory. */

import { AwsError } from '../../aws-error.ts';
import type { WireRequest } from '../../service.ts';
import { type Layers, newCounters, segmentCipher } from '../encryption/cipher.ts';
import { entityTooLarge } from '../errors.ts';
import type { Room } from '../room.ts';
import type { ObjectRecord } from '../store/objects.ts';
import type { Segment } from '../store/segments.ts';
import type { ByteRange } from './range.ts';

const CHUNK_BYTES = 256 * 1024;

export type Bytes = Buffer | AsyncIterable<Buffer>;

/** A file that was written; it belongs to nobody until a row refers to it. */
export type StoredFile = Pick<Segment, 'blob' | 'size' | 'counters'>;

/**
 * The payload of a write. Throws AwsError when it is too large, of unknown length, or (small bodies, which are read here)
 * not what was signed; the iterable throws likewise.
 */
export async function receive(room: Room, { body, contentLength }: WireRequest, maxBytes: number): Promise<Bytes> {
  if (contentLength === null) throw new AwsError(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (contentLength > maxBytes) throw entityTooLarge(contentLength, maxBytes);
  if (contentLength <= room.limits.inMemoryBytes) return collect(body, contentLength);
  return exactly(body, contentLength);
}

/** Reads a small body whole. Throws AwsError when it is longer than `maxBytes`. */
export async function collect(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw entityTooLarge(size, maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** Encrypts into a new file; `update` sees the plaintext pass. Nothing stays behind when it throws. */
export async function writeFile(room: Room, bytes: Bytes, layers: Layers, update: (plaintext: Buffer) => void): Promise<StoredFile> {
  const counters = newCounters(layers);
  const encrypt = segmentCipher(layers, counters);
  if (Buffer.isBuffer(bytes)) {
    update(bytes);
    return { blob: room.blobs.write(encrypt(bytes)), size: bytes.length, counters };
  }
  const { name, handle } = await room.blobs.create();
  let size = 0;
  // The next chunk is read and encrypted while this one is written.
  let writing = Promise.resolve();
  try {
    for await (const chunk of bytes) {
      update(chunk);
      size += chunk.length;
      const encrypted = encrypt(chunk);
      await writing;
      writing = handle.appendFile(encrypted);
      writing.catch(() => {});
    }
    await writing;
    await handle.close();
  } catch (error) {
    await handle.close();
    room.blobs.remove([name]);
    throw error;
  }
  return { blob: name, size, counters };
}

/** The plaintext of (a range of) an object: a buffer when it is small, and otherwise chunks. */
export function readObject(room: Room, record: ObjectRecord, layers: Layers, range: ByteRange): Bytes {
  const segments = room.segments.of(record.id);
  if (range.length > room.limits.inMemoryBytes) return stream(room, segments, layers, range);
  const pieces = piecesOf(segments, range).map(({ segment, offset, length }) =>
    segmentCipher(layers, segment.counters, offset)(room.blobs.read(segment.blob, offset, length)),
  );
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
}

/** Holds the files at once, not when the first chunk is asked for: the object may be deleted in between. */
function stream(room: Room, segments: Segment[], layers: Layers, range: ByteRange): AsyncIterable<Buffer> {
  const pieces = piecesOf(segments, range);
  return chunksOf(room, pieces, layers, room.blobs.hold(pieces.map(({ segment }) => segment.blob)));
}

async function* chunksOf(room: Room, pieces: Piece[], layers: Layers, release: () => void): AsyncGenerator<Buffer> {
  try {
    for (const { segment, offset, length } of pieces) {
      const decrypt = segmentCipher(layers, segment.counters, offset);
      const reader = await room.blobs.open(segment.blob);
      try {
        const read = (at: number): Promise<Buffer> => {
          const reading = reader.read(offset + at, Math.min(CHUNK_BYTES, length - at));
          reading.catch(() => {});
          return reading;
        };
        // The next chunk is read while this one is used.
        for (let at = 0, reading = read(0); at < length; ) {
          const chunk = await reading;
          at += chunk.length;
          if (at < length) reading = read(at);
          yield decrypt(chunk);
        }
      } finally {
        await reader.close();
      }
    }
  } finally {
    release();
  }
}

/** What a range takes of one segment. */
export interface Piece {
  segment: Segment;
  offset: number;
  length: number;
}

export function piecesOf(segments: Segment[], { start, length }: ByteRange): Piece[] {
  const end = start + length;
  const pieces: Piece[] = [];
  let at = 0;
  for (const segment of segments) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + segment.size);
    if (from < to) pieces.push({ segment, offset: from - at, length: to - from });
    at += segment.size;
  }
  return pieces;
}

async function* exactly(body: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== length) {
    throw new AwsError(400, 'IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
  }
}
