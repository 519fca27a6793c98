/** Wrapping of one key under another, and the sandbox's own root key, which stands for the keys that S3 manages. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { readRootKey } from '../../root-key.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM; `owner` (an ARN) is authenticated, so that a wrapped key cannot be moved to another object. */
export function wrapKey(wrappingKey: KeyObject, key: KeyObject, owner: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey, nonce).setAAD(Buffer.from(owner));
  return Buffer.concat([nonce, cipher.update(key.export()), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when `wrapped` was not made by wrapKey with this key and owner. */
export function unwrapKey(wrappingKey: KeyObject, wrapped: Buffer, owner: string): KeyObject {
  const cipher = createDecipheriv('aes-256-gcm', wrappingKey, wrapped.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(owner));
  cipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
  return createSecretKey(Buffer.concat([cipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]));
}

export function newKey(): KeyObject {
  return createSecretKey(randomBytes(KEY_BYTES));
}

/** The key that stands for those that S3 manages. */
export function openRootKey(folder: string): KeyObject {
  return createSecretKey(readRootKey(folder));
}
