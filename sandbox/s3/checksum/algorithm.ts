/** The checksums that S3 computes, and how each goes over bytes and over parts. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crcCombiner } from './combine.ts';
import { CRC32C_POLYNOMIAL, crc32c } from './crc32c.ts';
import { CRC64NVME_POLYNOMIAL, crc64nvme } from './crc64nvme.ts';

const CRC32_POLYNOMIAL = 0xedb88320;

export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
/** FULL_OBJECT is over the bytes, COMPOSITE over the checksums of the parts. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  type: ChecksumType;
  /** Base64; COMPOSITE ends in `-` and the number of parts. */
  value: string;
}

export interface Digest {
  update(bytes: Buffer): void;
  /** Once, at the end. */
  digest(): Buffer;
}

interface Definition {
  bytes: number;
  /** What a multipart upload gets when it names only the algorithm. */
  defaultType: ChecksumType;
  start(): Digest;
  /** `null`: the algorithm cannot be combined, so that a multipart upload with it is always COMPOSITE. */
  combine: ((first: Buffer, second: Buffer, secondLength: number) => Buffer) | null;
}

export const CHECKSUMS: Record<ChecksumAlgorithm, Definition> = {
  CRC32: { bytes: 4, defaultType: 'COMPOSITE', start: () => narrow(crc32), combine: combiner(BigInt(CRC32_POLYNOMIAL), 32) },
  CRC32C: { bytes: 4, defaultType: 'COMPOSITE', start: () => narrow(crc32c), combine: combiner(BigInt(CRC32C_POLYNOMIAL), 32) },
  CRC64NVME: { bytes: 8, defaultType: 'FULL_OBJECT', start: wide, combine: combiner(CRC64NVME_POLYNOMIAL, 64) },
  SHA1: { bytes: 20, defaultType: 'COMPOSITE', start: () => createHash('sha1'), combine: null },
  SHA256: { bytes: 32, defaultType: 'COMPOSITE', start: () => createHash('sha256'), combine: null },
};

/** `x-amz-checksum-crc32` and so on. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return CHECKSUM_ALGORITHMS.some((algorithm) => algorithm === name);
}

/** The checksum of an object from those of its parts, in order. Throws when the type and the algorithm do not go together. */
export function checksumOfParts(algorithm: ChecksumAlgorithm, type: ChecksumType, parts: { value: string; size: number }[]): Checksum {
  const { combine, start } = CHECKSUMS[algorithm];
  const digests = parts.map(({ value, size }) => ({ digest: Buffer.from(value, 'base64'), size }));
  if (type === 'COMPOSITE') {
    const whole = start();
    for (const { digest } of digests) whole.update(digest);
    return { algorithm, type, value: `${whole.digest().toString('base64')}-${parts.length}` };
  }
  if (!combine) throw new Error(`${algorithm} cannot be combined`);
  let whole = start().digest();
  for (const { digest, size } of digests) whole = combine(whole, digest, size);
  return { algorithm, type, value: whole.toString('base64') };
}

function narrow(step: (bytes: Buffer, crc?: number) => number): Digest {
  let state = 0;
  return {
    update: (bytes) => {
      state = step(bytes, state);
    },
    digest: () => toBytes(BigInt(state >>> 0), 32),
  };
}

function wide(): Digest {
  let state = 0n;
  return {
    update: (bytes) => {
      state = crc64nvme(bytes, state);
    },
    digest: () => toBytes(state, 64),
  };
}

function combiner(polynomial: bigint, width: 32 | 64) {
  const combine = crcCombiner(polynomial, width);
  return (first: Buffer, second: Buffer, secondLength: number): Buffer =>
    toBytes(combine(fromBytes(first), fromBytes(second), secondLength), width);
}

function toBytes(value: bigint, width: 32 | 64): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes.subarray(8 - width / 8);
}

function fromBytes(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
