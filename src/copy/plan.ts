/** How many S3 calls an object needs. Pure. */
import { SealdropError } from '../errors.ts';
import type { ObjectRef } from '../events/index.ts';

/** The largest source of one CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const MAX_COPY_BYTES = 5 * 1024 ** 3;

/** What ops choose, in bytes. */
export interface CopyLimits {
  /** Objects above it are copied in parts. */
  partsAboveBytes: number;
  /** The size of parts, unless the object needs larger ones. */
  partBytes: number;
}

export type CopyPlan = { action: 'copy-object' };

/** @throws SealdropError `too-large` above what one CopyObject can move */
export function planCopy(ref: ObjectRef, limits: { maxCopyBytes: number } = { maxCopyBytes: MAX_COPY_BYTES }): CopyPlan {
  if (ref.size > limits.maxCopyBytes) {
    const message = `the object has ${ref.size} bytes; one CopyObject moves at most ${limits.maxCopyBytes}`;
    throw new SealdropError('too-large', message, { object: ref });
  }
  return { action: 'copy-object' };
}
