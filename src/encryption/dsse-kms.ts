/** DSSE-KMS, two independent layers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html */
import { keyHeader, type ServerSideMode } from './encryption.ts';

export const dsseKms: ServerSideMode<'dsse-kms'> = {
  writeParameters: (encryption) => ({ ServerSideEncryption: 'aws:kms:dsse', ...keyHeader(encryption) }),
  keyParameters: () => ({}),
  expectedAnswer: ({ keyArn }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn }),
  describe: ({ keyArn }) => ({ mode: 'dsse-kms', keyArn }),
};
