/** What every encryption mode of S3 is to the rest of this room. */
import { PARTITION } from '../../account.ts';
import type { KeyCaller } from '../../service.ts';
import type { Layers } from './cipher.ts';

/** A customer key of one request; it lives as long as the request. */
export interface CustomerKey {
  key: Buffer;
  /** Base64, as sent and checked. */
  md5: string;
}

/** What a write asks for, after the bucket's default filled the gaps. */
export type Choice =
  | { mode: 'sse-s3' }
  | { mode: 'sse-kms'; keyId: string; context: Record<string, string>; bucketKey: boolean }
  | { mode: 'dsse-kms'; keyId: string; context: Record<string, string> }
  | { mode: 'sse-c'; customerKey: CustomerKey };

/** What is stored with an object: all that is needed to read it again, but the keys. Binary values are base64. */
export type Sealed =
  | { mode: 'sse-s3'; dataKey: string }
  | { mode: 'sse-kms'; keyArn: string; context: Record<string, string>; dataKey: string; bucketKey: string | null }
  | { mode: 'dsse-kms'; keyArn: string; context: Record<string, string>; dataKey: string; secondKey: string }
  | { mode: 'sse-c'; salt: string; check: string };

export type Mode = Choice['mode'];

/** Whose data keys are made or opened. */
export interface Owner {
  bucket: string;
  key: string;
}

export interface EncryptionMode<M extends Mode> {
  /** Makes the data keys of a new object or upload. Throws AwsError when the caller may not use the key that is asked for, or nobody can. */
  seal(choice: Extract<Choice, { mode: M }>, owner: Owner, caller: KeyCaller): { sealed: Extract<Sealed, { mode: M }>; layers: Layers };
  /** Throws AwsError when the key cannot be used (now) or is not the right one. */
  open(sealed: Extract<Sealed, { mode: M }>, owner: Owner, customerKey: CustomerKey | null, caller: KeyCaller): Layers;
}

export function bucketArn(bucket: string): string {
  return `arn:${PARTITION}:s3:::${bucket}`;
}

export function objectArn({ bucket, key }: Owner): string {
  return `arn:${PARTITION}:s3:::${bucket}/${key}`;
}
