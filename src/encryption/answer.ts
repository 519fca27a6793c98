/** What S3's answer to a read says of how an object is stored. */
import { codedMode } from './client-side.ts';
import type { EncryptionAnswer, EncryptionDescription, EncryptionMode } from './encryption.ts';

const MODES: Record<string, EncryptionMode> = { AES256: 'sse-s3', 'aws:kms': 'sse-kms', 'aws:kms:dsse': 'dsse-kms' };

/** `null`: the answer does not say how the object is encrypted. */
export function answeredEncryption(answer: EncryptionAnswer & { ContentEncoding?: string | undefined }): EncryptionDescription | null {
  const coded = codedMode(answer.ContentEncoding);
  // Which key it is under the message alone says.
  if (coded !== null && answer.ServerSideEncryption === 'aws:kms') return { mode: coded.mode };
  const mode = answer.SSECustomerAlgorithm === undefined ? MODES[answer.ServerSideEncryption ?? ''] : 'sse-c';
  if (mode === undefined) return null;
  return {
    mode,
    ...(answer.SSEKMSKeyId === undefined ? {} : { keyArn: answer.SSEKMSKeyId }),
    // S3 sends the Bucket Key header only when it is on.
    ...(mode === 'sse-kms' ? { bucketKey: answer.BucketKeyEnabled ?? false } : {}),
  };
}
