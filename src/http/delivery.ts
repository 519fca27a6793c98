/** How the bytes of an object reach a caller. Pure. */
import type { DownloadRule, EncryptionMode } from '../policy/schema.ts';

/** What Lambda streams of one response, "200 MB" read the smaller way: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html */
export const MAX_STREAMED_BYTES = 200_000_000;

export interface Selection {
  /** How the object is stored. */
  mode: EncryptionMode;
  /** Bytes that were asked for: of the object, or of one range of it. */
  length: number;
  /** Without one a URL could not be held to this state of the object. */
  versionId: string | undefined;
}

export interface DeliveryLimits {
  /** The most that one answer can stream. */
  maxStreamedBytes: number;
  /** From where on S3 itself serves, where it may; never above `maxStreamedBytes`. */
  redirectAboveBytes: number;
}

export type Delivery =
  /** Through the function. */
  | 'stream'
  /** S3 serves it, by a URL for this version and a short time. */
  | 'redirect'
  /** S3 serves a copy of it under a key that S3 may use. */
  | 'transit'
  /** Neither is allowed or possible: the caller asks for less at a time. */
  | 'use-ranges';

/**
 * Streaming is what every client takes, and is recorded whole; it is slow and has an end, so that more than it carries goes another way.
 * @param redirects `false`: the caller cannot follow any
 */
export function decideDelivery(
  { mode, length, versionId }: Selection,
  rule: DownloadRule,
  redirects: boolean,
  limits: DeliveryLimits,
): Delivery {
  const served = redirects && versionId !== undefined ? BY_S3[mode](rule) : null;
  // A version called null is replaced by the next write: of a copy the name says which state it is of, of the object itself nothing does.
  const serves = served === 'redirect' && versionId === 'null' ? null : served;
  if (serves === 'redirect' && length > Math.min(limits.redirectAboveBytes, limits.maxStreamedBytes)) return 'redirect';
  if (length <= limits.maxStreamedBytes) return 'stream';
  return serves ?? 'use-ranges';
}

const redirect = ({ redirect: allowed }: DownloadRule) => (allowed ? 'redirect' : null);

/** What S3 can serve to somebody who holds no key. */
const BY_S3: Record<EncryptionMode, (rule: DownloadRule) => 'redirect' | 'transit' | null> = {
  'sse-s3': redirect,
  'sse-kms': redirect,
  'dsse-kms': redirect,
  'sse-c': ({ transit }) => (transit ? 'transit' : null),
  // S3 never sees the plaintext, not for a quarter of an hour either.
  'cse-kms': () => null,
  'cse-aes': () => null,
};
