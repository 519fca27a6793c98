/** What S3 says of the buckets of the tests. */
import type { QueueConfiguration } from '@aws-sdk/client-s3';
import { STACK } from './world.ts';

export const ingest = { Bucket: STACK.ingestBucket };
export const target = { Bucket: STACK.targetBucket };
export const audit = { Bucket: STACK.auditBucket };

export const told = (...QueueConfigurations: QueueConfiguration[]) => ({ QueueConfigurations });
export const rule = (algorithm: 'AES256' | 'aws:kms', key?: string, blocked?: 'SSE-C' | 'NONE') => ({
  ServerSideEncryptionConfiguration: {
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm, ...(key && { KMSMasterKeyID: key }) },
        ...(blocked && { BlockedEncryptionTypes: { EncryptionType: [blocked] } }),
      },
    ],
  },
});
