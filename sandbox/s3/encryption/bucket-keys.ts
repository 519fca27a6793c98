/** S3 Bucket Keys: short-lived keys of a bucket that spare a call to KMS for every object. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { DataKeys, KeyCaller } from '../../service.ts';
import { asS3 } from './kms-errors.ts';

/**
 * S3 says "time-limited" and no more, and that every requester's right is asked for at least once. Here it is asked for every
 * time, and so is the KMS key's state: whoever takes a right away or disables a key is heard at once.
 */
const LIFETIME_MS = 5 * 60_000;
const MAX_KEPT = 1000;

export interface BucketKey {
  /** Of the KMS key that it is wrapped under. */
  keyArn: string;
  plaintext: KeyObject;
  /** Base64. */
  ciphertextBlob: string;
}

export interface BucketKeys {
  /**
   * The key under which new objects are wrapped; `keyId` in any form. The caller needs both rights: S3 makes a bucket key or opens
   * the one that it has, and nobody can tell which. Throws S3's AwsError for what KMS refuses.
   * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html which says so of a trail
   * (S3's own guide is silent: unverified for other writers)
   */
  current(keyId: string, context: Record<string, string>, caller: KeyCaller): BucketKey;
  /** The key that an object was wrapped under. Throws as above. */
  open(ciphertextBlob: string, keyArn: string, context: Record<string, string>, caller: KeyCaller): KeyObject;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html */
export function openBucketKeys(keys: DataKeys): BucketKeys {
  const currentKeys = createCache<BucketKey>();
  const opened = createCache<KeyObject>();
  return {
    current(keyId, context, caller) {
      const keyArn = asS3(() => keys.requireAllowed('kms:GenerateDataKey', keyId, context, caller));
      asS3(() => keys.requireAllowed('kms:Decrypt', keyArn, context, caller));
      return currentKeys(identity(keyArn, context), () => {
        const { plaintext, ciphertextBlob } = asS3(() => keys.generateDataKey(keyArn, context, caller));
        return { keyArn, plaintext: createSecretKey(plaintext), ciphertextBlob: ciphertextBlob.toString('base64') };
      });
    },
    open(ciphertextBlob, keyArn, context, caller) {
      asS3(() => keys.requireAllowed('kms:Decrypt', keyArn, context, caller));
      return opened(identity(ciphertextBlob, context), () =>
        createSecretKey(asS3(() => keys.decrypt(Buffer.from(ciphertextBlob, 'base64'), context, caller)).plaintext),
      );
    },
  };
}

function identity(subject: string, context: Record<string, string>): string {
  return JSON.stringify([subject, Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function createCache<T>(): (id: string, make: () => T) => T {
  const kept = new Map<string, { value: T; until: number }>();
  return (id, make) => {
    const now = Date.now();
    const found = kept.get(id);
    if (found && found.until > now) return found.value;
    const value = make();
    kept.delete(id);
    const oldest = kept.size >= MAX_KEPT ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(id, { value, until: now + LIFETIME_MS });
    return value;
  };
}
