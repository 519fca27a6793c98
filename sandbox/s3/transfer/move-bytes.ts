/** Decrypts, measures, encrypts and writes, one chunk after the other: everything that takes a copy its time. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { CHECKSUMS } from '../checksum/algorithm.ts';
import { segmentCipher } from '../encryption/cipher.ts';
import type { Job, Piece } from './job.ts';

/** Small enough to stay in the processor's cache from the reading to the writing. */
const CHUNK_BYTES = 256 * 1024;

/** Throws what the file system throws, and for files that are shorter than their pieces. */
export function moveBytes(job: Job): { md5: Uint8Array | null; checksum: Uint8Array } {
  const md5 = job.md5 ? createHash('md5') : null;
  const digest = CHECKSUMS[job.algorithm].start();
  const encrypt = segmentCipher(job.targetLayers, Buffer.from(job.targetCounters));
  const target = openSync(job.target, 'r+');
  try {
    for (const piece of job.pieces) {
      const decrypt = segmentCipher(job.sourceLayers, Buffer.from(piece.counters), piece.offset);
      for (const chunk of chunksOf(piece)) {
        const plaintext = decrypt(chunk);
        md5?.update(plaintext);
        digest.update(plaintext);
        const encrypted = encrypt(plaintext);
        for (let at = 0; at < encrypted.length; ) at += writeSync(target, encrypted, at);
      }
    }
  } finally {
    closeSync(target);
  }
  return { md5: md5?.digest() ?? null, checksum: digest.digest() };
}

/** Each chunk lies in the same memory as the one before. */
function* chunksOf({ from, offset, length }: Piece): Generator<Buffer> {
  if (typeof from !== 'string') {
    yield Buffer.from(from.buffer, from.byteOffset, from.byteLength);
    return;
  }
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length));
  const file = openSync(from, 'r');
  try {
    for (let at = 0; at < length; ) {
      const count = readSync(file, chunk, 0, Math.min(chunk.length, length - at), offset + at);
      if (count === 0) throw new Error('fewer bytes are stored than the object has');
      at += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}
