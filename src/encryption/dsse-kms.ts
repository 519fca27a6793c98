/** DSSE-KMS, two independent layers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html */
import type { ServerSideMode } from './encryption.ts';

export const dsseKms: ServerSideMode<'dsse-kms'> = {
  writeParameters: ({ keyArn }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn }),
  keyParameters: () => ({}),
  expectedAnswer: ({ keyArn }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn }),
  describe: ({ keyArn }) => ({ mode: 'dsse-kms', keyArn }),
};
