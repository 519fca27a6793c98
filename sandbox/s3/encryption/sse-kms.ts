/** SSE-KMS: a data key from KMS for every object, or wrapped under a bucket key that KMS gave for the bucket. */
import { createSecretKey } from 'node:crypto';
import type { DataKeys } from '../../service.ts';
import { openBucketKeys } from './bucket-keys.ts';
import { asS3 } from './kms-errors.ts';
import { bucketArn, type EncryptionMode, objectArn } from './mode.ts';
import { newKey, unwrapKey, wrapKey } from './wrap.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context */
export function sseKms(keys: DataKeys): EncryptionMode<'sse-kms'> {
  const bucketKeys = openBucketKeys(keys);
  return {
    seal({ keyId, context, bucketKey }, owner, caller) {
      if (!bucketKey) {
        const made = asS3(() => keys.generateDataKey(keyId, { ...context, 'aws:s3:arn': objectArn(owner) }, caller));
        const dataKey = made.ciphertextBlob.toString('base64');
        return {
          sealed: { mode: 'sse-kms', keyArn: made.keyArn, context, dataKey, bucketKey: null },
          layers: [createSecretKey(made.plaintext)],
        };
      }
      const bucketContext = { ...context, 'aws:s3:arn': bucketArn(owner.bucket) };
      const { keyArn, plaintext, ciphertextBlob } = bucketKeys.current(keyId, bucketContext, caller);
      const dataKey = newKey();
      const wrapped = wrapKey(plaintext, dataKey, objectArn(owner)).toString('base64');
      return { sealed: { mode: 'sse-kms', keyArn, context, dataKey: wrapped, bucketKey: ciphertextBlob }, layers: [dataKey] };
    },

    open({ keyArn, context, dataKey, bucketKey }, owner, _customerKey, caller) {
      const blob = Buffer.from(dataKey, 'base64');
      if (bucketKey === null) {
        return [createSecretKey(asS3(() => keys.decrypt(blob, { ...context, 'aws:s3:arn': objectArn(owner) }, caller)).plaintext)];
      }
      const bucketContext = { ...context, 'aws:s3:arn': bucketArn(owner.bucket) };
      return [unwrapKey(bucketKeys.open(bucketKey, keyArn, bucketContext, caller), blob, objectArn(owner))];
    },
  };
}
