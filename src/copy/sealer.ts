/** What encrypts a copy before S3 sees it. */
import type { KMSClient } from '@aws-sdk/client-kms';
import pLimit, { type LimitFunction } from 'p-limit';
import type { ClientSideMode, ResolvedEncryption } from '../encryption/index.ts';
import { aesSealingKeys, type EncryptionContext, kmsSealingKeys, type ReuseLimits, type SealingKeys } from '../envelope/index.ts';

/** Each holds some parts in memory. */
const PARALLEL = 3;

/**
 * A function's own burst of objects shares a key, and whoever loses it loses no more than that: five minutes, and far below what a key may encrypt.
 * @see https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/thresholds.html
 */
export const REUSE: ReuseLimits = { seconds: 300, messages: 1_000, bytes: 64 * 1024 ** 3 };

export interface Sealer {
  /** At most so many copies at a time. */
  slots: LimitFunction;
  keysFor(encryption: ResolvedEncryption<ClientSideMode>): SealingKeys;
}

export function createSealer(kms: KMSClient): Sealer {
  const reused = new Map<string, SealingKeys>();
  const reusedKeys = (keyArn: string) => {
    const known = reused.get(keyArn) ?? kmsSealingKeys(kms, keyArn, REUSE);
    reused.set(keyArn, known);
    return known;
  };
  return {
    slots: pLimit(PARALLEL),
    keysFor(encryption) {
      switch (encryption.mode) {
        case 'cse-kms':
          return encryption.reuseDataKey ? reusedKeys(encryption.keyArn) : kmsSealingKeys(kms, encryption.keyArn, null);
        case 'cse-aes':
          return aesSealingKeys(encryption.wrappingKey);
        default:
          return encryption satisfies never;
      }
    },
  };
}

/**
 * What a message says of the object that it is for. A data key that is reused is reused under one context, which then cannot name the key; what
 * catches a swap within the bucket is the record of the message's id.
 */
export function contextOf(encryption: ResolvedEncryption<ClientSideMode>, bucket: string, key: string): EncryptionContext {
  const reuses = encryption.mode === 'cse-kms' && encryption.reuseDataKey;
  return { sealdrop: 'cse', bucket, ...(reuses ? {} : { key }) };
}
