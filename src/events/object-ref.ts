/** One object as an event names it. */
import { SealdropError } from '../errors.ts';
import { keyProblem } from './object-key.ts';

export interface ObjectRef {
  bucket: string;
  key: string;
  /** What the key would be if the event's sender form-encoded it after all; only where it differs. */
  alternativeKey?: string;
  /** Absent in a bucket that was never versioned. */
  versionId?: string;
  /** Without quotes. */
  etag: string;
  /** Bytes. */
  size: number;
  /** Hexadecimal; orders the events of one key. Compare with `compareSequencers`. */
  sequencer: string;
  /** When S3 stored the object, ISO 8601 with milliseconds. The same in every delivery of the event. */
  eventTime: string;
  /** S3's id of the request that stored it: follows the object through logs and audit events. */
  correlationId: string;
  /** We have tried before: this comes from a message of our own. */
  continued?: true;
  /** Who stored it, as S3 names them. */
  requester?: string;
}

/** Negative, zero or positive; shorter ones are padded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export function compareSequencers(a: string, b: string): number {
  const length = Math.max(a.length, b.length);
  const [left, right] = [a.toUpperCase().padStart(length, '0'), b.toUpperCase().padStart(length, '0')];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Notifications form-encode keys. @returns `null` when the encoding is broken. */
export function decodeFormKey(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

/** @throws SealdropError `malformed-event` when no object can have this key */
export function checkKey(key: string): void {
  const problem = keyProblem(key);
  if (problem !== null) throw new SealdropError('malformed-event', problem);
}

/** Events write a moment with milliseconds or without; histories sort them as text. */
export function moment(time: string): string {
  return new Date(time).toISOString();
}

/** ETags come with quotes in some events and without in others. */
export function unquoted(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1');
}
