/** SSE-S3: a data key for every object, wrapped under a root key that S3 keeps. */
import type { KeyObject } from 'node:crypto';
import { type EncryptionMode, objectArn } from './mode.ts';
import { newKey, unwrapKey, wrapKey } from './wrap.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html */
export function sseS3(rootKey: KeyObject): EncryptionMode<'sse-s3'> {
  return {
    seal(_choice, owner) {
      const dataKey = newKey();
      const wrapped = wrapKey(rootKey, dataKey, objectArn(owner));
      return { sealed: { mode: 'sse-s3', dataKey: wrapped.toString('base64') }, layers: [dataKey] };
    },
    open: (sealed, owner) => [unwrapKey(rootKey, Buffer.from(sealed.dataKey, 'base64'), objectArn(owner))],
  };
}
