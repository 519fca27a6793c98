/** SSE-S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html */
import type { ServerSideMode } from './encryption.ts';

export const sseS3: ServerSideMode<'sse-s3'> = {
  writeParameters: () => ({ ServerSideEncryption: 'AES256' }),
  keyParameters: () => ({}),
  expectedAnswer: () => ({ ServerSideEncryption: 'AES256' }),
  describe: () => ({ mode: 'sse-s3' }),
};
