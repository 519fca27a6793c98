/** What S3's answer to a read says of how an object is stored. */
import type { EncryptionAnswer, EncryptionDescription, EncryptionMode } from './encryption.ts';

const MODES: Record<string, EncryptionMode> = { AES256: 'sse-s3', 'aws:kms': 'sse-kms', 'aws:kms:dsse': 'dsse-kms' };

/** `null`: the answer does not say how the object is encrypted. */
export function answeredEncryption(answer: EncryptionAnswer): EncryptionDescription | null {
  const mode = answer.SSECustomerAlgorithm === undefined ? MODES[answer.ServerSideEncryption ?? ''] : 'sse-c';
  if (mode === undefined) return null;
  return {
    mode,
    ...(answer.SSEKMSKeyId === undefined ? {} : { keyArn: answer.SSEKMSKeyId }),
    // S3 sends the Bucket Key header only when it is on.
    ...(mode === 'sse-kms' ? { bucketKey: answer.BucketKeyEnabled ?? false } : {}),
  };
}
