/** SSE-S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html */
import type { ModeAtS3 } from './encryption.ts';

export const sseS3: ModeAtS3<'sse-s3'> = {
  writeParameters: () => ({ ServerSideEncryption: 'AES256' }),
  keyParameters: () => ({}),
  expectedAnswer: () => ({ ServerSideEncryption: 'AES256' }),
  describe: () => ({ mode: 'sse-s3' }),
};
