/** What S3 itself is told of an encryption. Pure. */
import type { Encryption, ServerSideMode } from './schema.ts';

export type ServerSideEncryption = Extract<Encryption, { mode: ServerSideMode }>;

/** What is encrypted before S3 sees it is stored under the stack's own key as well. */
export const MESSAGE_AT_S3 = { mode: 'sse-kms', bucketKey: true } as const satisfies ServerSideEncryption;

export function encryptionAtS3(encryption: Encryption): ServerSideEncryption {
  return encryption.mode === 'cse-kms' || encryption.mode === 'cse-aes' ? MESSAGE_AT_S3 : encryption;
}
