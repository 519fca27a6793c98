/** SSE-C: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html */
import { createHash } from 'node:crypto';
import type { CustomerKey, KeyParameters, ModeAtS3 } from './encryption.ts';

export const sseC: ModeAtS3<'sse-c'> = {
  writeParameters: ({ customerKey }) => headers(customerKey),
  keyParameters: ({ customerKey }) => headers(customerKey),
  expectedAnswer: ({ customerKey }) => ({
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKeyMD5: createHash('md5').update(customerKey.material).digest('base64'),
  }),
  describe: ({ customerKey }) => ({ mode: 'sse-c', customerKeyVersion: customerKey.versionId }),
};

function headers(key: CustomerKey): KeyParameters {
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.material.toString('base64') };
}
