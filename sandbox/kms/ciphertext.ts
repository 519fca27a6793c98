/**
 * A KMS ciphertext blob: version (1 byte), key id (16), IV (12), ciphertext, tag (16). AES-256-GCM; the head and the
 * encryption context are authenticated.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { invalidCiphertext } from './errors.ts';

const VERSION = 1;
const HEAD_BYTES = 17;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param keyId a UUID, as ids of single-Region keys are */
export function encryptBlob(keyId: string, material: Buffer, plaintext: Buffer, context: Record<string, string>): Buffer {
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(keyId.replaceAll('-', ''), 'hex')]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', material, iv).setAAD(Buffer.concat([head, canonicalContext(context)]));
  return Buffer.concat([head, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Which key made the blob, as its head says; not yet believed. Throws `InvalidCiphertextException` when it is no blob. */
export function keyIdOf(blob: Buffer): string {
  if (blob.length < HEAD_BYTES + IV_BYTES + TAG_BYTES || blob[0] !== VERSION) throw invalidCiphertext();
  return blob.toString('hex', 1, HEAD_BYTES).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Throws `InvalidCiphertextException` when blob, key and context do not belong together. */
export function decryptBlob(blob: Buffer, material: Buffer, context: Record<string, string>): Buffer {
  const head = blob.subarray(0, HEAD_BYTES);
  const iv = blob.subarray(HEAD_BYTES, HEAD_BYTES + IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', material, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([head, canonicalContext(context)])).setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(blob.subarray(HEAD_BYTES + IV_BYTES, blob.length - TAG_BYTES)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

/** Pairs sorted by name, each text behind its length, so that two contexts never read alike. */
function canonicalContext(context: Record<string, string>): Buffer {
  const names = Object.keys(context).sort();
  return Buffer.concat(names.flatMap((name) => [lengthPrefixed(name), lengthPrefixed(context[name] ?? '')]));
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
