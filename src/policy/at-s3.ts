/** What S3 itself is told of an encryption. Pure. */
import type { Encryption, ServerSideMode } from './schema.ts';

export type ServerSideEncryption = Extract<Encryption, { mode: ServerSideMode }>;

/** What is encrypted before S3 sees it is stored under the stack's own key as well. */
export function encryptionAtS3(encryption: Encryption): ServerSideEncryption {
  return encryption.mode === 'cse-kms' || encryption.mode === 'cse-aes' ? { mode: 'sse-kms', bucketKey: true } : encryption;
}
