/** Wrapping of one key under another, and the sandbox's own root key, which stands for the keys that S3 manages. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

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

/** Reads the root key from `folder`, or makes it at the first start. Only this user can read it. */
export function openRootKey(folder: string): KeyObject {
  const path = join(folder, 'root.key');
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    writeSync(descriptor, newKey().export());
    closeSync(descriptor);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES) throw new Error(`${path} is not a key of ${KEY_BYTES} bytes; remove the data folder to start anew`);
  return createSecretKey(key);
}
