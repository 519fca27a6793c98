/** How many S3 calls an object needs. Pure. */
import { SealdropError } from '../errors.ts';

const GIB = 1024 ** 3;

/** The largest source of one CopyObject; S3 says "5 GB" and means this: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const MAX_COPY_BYTES = 5 * GIB;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html; the least is 5 MiB, which the settings see to. */
export const MAX_PART_BYTES = 5 * GIB;
export const MAX_PARTS = 10_000;
/** "48.8 TiB": as many parts as there may be, each as large as it may be. */
export const MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES;

/** More parts are not faster, 16 at once keep S3 as busy, and each costs a request (and one of KMS without a Bucket Key). */
const ENOUGH_PARTS = 1_000;

/** What ops choose, in bytes. */
export interface CopyLimits {
  /** Objects above it are copied in parts. */
  partsAboveBytes: number;
  /** The size of parts, unless the object needs larger ones; S3 takes 5 MiB to 5 GiB. */
  partBytes: number;
  /** Parts under way at once; 16 unless said, 3 of what passes through here. */
  parallelParts?: number;
  /** The size of parts of what passes through here; 8 MiB unless said. */
  streamedPartBytes?: number;
}

/** What of a source would get lost in parts, so that one call is better where one is enough. */
export interface SourceLosses {
  /** A checksum that only one call keeps. */
  checksum: boolean;
  /** Metadata or tags that do not fit into the request that begins an upload. */
  description: boolean;
}

/** All but the last part have `partBytes`. */
export interface PartsPlan {
  action: 'parts';
  size: number;
  partBytes: number;
  parts: number;
}

export type CopyPlan = { action: 'copy-object' } | PartsPlan;

/** Of what passes through here: some tens of MiB in memory, and 80 GB in 10,000 parts. */
export const STREAMED_PART_BYTES = 8 * 1024 * 1024;

/** By how much a message may be longer than what fills one part: a header with its context and data keys, and 32 bytes a frame. */
const MESSAGE_OVERHEAD_BYTES = 4 * 1024;

/** Objects up to it leave no upload and are soon done, whatever their rule says. @param streamed whether the bytes of some objects pass through here */
export function uploadedAbove({ partsAboveBytes, streamedPartBytes = STREAMED_PART_BYTES }: CopyLimits, streamed: boolean): number {
  return streamed ? Math.min(partsAboveBytes, Math.max(0, streamedPartBytes - MESSAGE_OVERHEAD_BYTES)) : partsAboveBytes;
}

const NO_LOSSES: SourceLosses = { checksum: false, description: false };

/**
 * Parts have `limits.partBytes` up to a thousand parts, then a multiple of it, so that 1 TiB is about a thousand parts, and from 5 TiB on 5 GiB,
 * which S3 copies in a minute or two: no part is near a function's 15 minutes, and no object needs more than 10,000.
 * @param size bytes
 * @throws SealdropError `too-large` above what S3 stores
 */
export function planCopy(size: number, limits: CopyLimits, losses: SourceLosses = NO_LOSSES): CopyPlan {
  if (size > MAX_OBJECT_BYTES) {
    throw new SealdropError('too-large', `the object has ${size} bytes; S3 stores at most ${MAX_OBJECT_BYTES}`);
  }
  const partBytes = Math.min(MAX_PART_BYTES, limits.partBytes * Math.max(1, Math.ceil(size / ENOUGH_PARTS / limits.partBytes)));
  const parts = Math.ceil(size / partBytes);
  const wanted = size > limits.partsAboveBytes && parts > 1 && !losses.checksum && !losses.description;
  return wanted || size > MAX_COPY_BYTES ? { action: 'parts', size, partBytes, parts } : { action: 'copy-object' };
}

/** @param number from 1 @returns the part's first and last byte, and how many it has */
export function partRange({ size, partBytes }: PartsPlan, number: number): { first: number; last: number; bytes: number } {
  const first = (number - 1) * partBytes;
  const bytes = Math.min(partBytes, size - first);
  return { first, last: first + bytes - 1, bytes };
}
