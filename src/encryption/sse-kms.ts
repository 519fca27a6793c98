/** SSE-KMS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
import { keyHeader, type ModeAtS3 } from './encryption.ts';

export const sseKms: ModeAtS3<'sse-kms'> = {
  // The Bucket Key is always said, on or off: silence would take the bucket's default.
  writeParameters: (encryption) => ({
    ServerSideEncryption: 'aws:kms',
    ...keyHeader(encryption),
    BucketKeyEnabled: encryption.bucketKey,
  }),
  keyParameters: () => ({}),
  expectedAnswer: ({ keyArn, bucketKey }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn, BucketKeyEnabled: bucketKey }),
  describe: ({ keyArn, bucketKey }) => ({ mode: 'sse-kms', keyArn, bucketKey }),
};
