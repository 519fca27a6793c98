/** DSSE-KMS, two independent layers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html */
import { keyHeader, type ModeAtS3 } from './encryption.ts';

export const dsseKms: ModeAtS3<'dsse-kms'> = {
  writeParameters: (encryption) => ({ ServerSideEncryption: 'aws:kms:dsse', ...keyHeader(encryption) }),
  keyParameters: () => ({}),
  expectedAnswer: ({ keyArn }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn }),
  describe: ({ keyArn }) => ({ mode: 'dsse-kms', keyArn }),
};
