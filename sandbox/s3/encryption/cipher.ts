/**
 * How bytes lie on the disk: AES-256 in counter mode, one random initial counter for each layer of each segment.
 * Counter mode, because ranges and parts must be readable from anywhere, which GCM's one tag over the whole cannot serve.
 * It does not authenticate: what protects integrity is the checksum that S3 keeps for every object.
 */
import { createCipheriv, type KeyObject, randomBytes } from 'node:crypto';

const BLOCK_BYTES = 16;

/** The data keys of an object, 32 bytes each: one, or two for dual-layer encryption. KeyObjects, because node:crypto takes a raw key ten times slower. */
export type Layers = KeyObject[];

/** The initial counters of a new segment, one after the other. */
export function newCounters(layers: Layers): Buffer {
  return randomBytes(BLOCK_BYTES * layers.length);
}

/**
 * Encrypts and decrypts alike, in order, from byte `offset` of the segment on.
 * @param counters as newCounters made them for this segment
 */
export function segmentCipher(layers: Layers, counters: Buffer, offset = 0): (bytes: Buffer) => Buffer {
  const ciphers = layers.map((key, index) => {
    const counter = counters.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    const cipher = createCipheriv('aes-256-ctr', key, advance(counter, Math.floor(offset / BLOCK_BYTES)));
    if (offset % BLOCK_BYTES > 0) cipher.update(Buffer.alloc(offset % BLOCK_BYTES));
    return cipher;
  });
  return (bytes) => ciphers.reduce((text, cipher) => cipher.update(text), bytes);
}

function advance(counter: Buffer, blocks: number): Buffer {
  if (blocks === 0) return counter;
  const sum = (BigInt(`0x${counter.toString('hex')}`) + BigInt(blocks)) % (1n << 128n);
  return Buffer.from(sum.toString(16).padStart(BLOCK_BYTES * 2, '0'), 'hex');
}
