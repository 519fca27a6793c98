/** DSSE-KMS: two independent layers, the first under a data key from KMS, the second under one that S3 manages. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { DataKeys } from '../../service.ts';
import { asS3 } from './kms-errors.ts';
import { type EncryptionMode, objectArn } from './mode.ts';
import { newKey, unwrapKey, wrapKey } from './wrap.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html */
export function dsseKms(keys: DataKeys, rootKey: KeyObject): EncryptionMode<'dsse-kms'> {
  return {
    seal({ keyId, context }, owner, caller) {
      const arn = objectArn(owner);
      const first = asS3(() => keys.generateDataKey(keyId, { ...context, 'aws:s3:arn': arn }, caller));
      const second = newKey();
      const dataKey = first.ciphertextBlob.toString('base64');
      const secondKey = wrapKey(rootKey, second, arn).toString('base64');
      return {
        sealed: { mode: 'dsse-kms', keyArn: first.keyArn, context, dataKey, secondKey },
        layers: [createSecretKey(first.plaintext), second],
      };
    },

    open({ context, dataKey, secondKey }, owner, _customerKey, caller) {
      const arn = objectArn(owner);
      const first = asS3(() => keys.decrypt(Buffer.from(dataKey, 'base64'), { ...context, 'aws:s3:arn': arn }, caller));
      return [createSecretKey(first.plaintext), unwrapKey(rootKey, Buffer.from(secondKey, 'base64'), arn)];
    },
  };
}
