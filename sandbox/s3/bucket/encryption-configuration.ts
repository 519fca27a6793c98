/** A bucket's default encryption and what it blocks. */
import { z } from 'zod';
import { invalidArgument } from '../errors.ts';
import type { XmlMembers } from '../xml.ts';
import { flag, list, rename } from './shapes.ts';

const rule = z.strictObject({
  ApplyServerSideEncryptionByDefault: z
    .strictObject({ SSEAlgorithm: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']), KMSMasterKeyID: z.string().min(1).optional() })
    .optional(),
  BucketKeyEnabled: flag.optional(),
  BlockedEncryptionTypes: z.strictObject({ EncryptionType: z.array(z.enum(['NONE', 'SSE-C'])).optional() }).optional(),
});

export const encryptionSchema = z.strictObject({ Rules: z.array(rule).length(1) });
/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html */
export type EncryptionConfiguration = z.infer<typeof encryptionSchema>;

/** Of a bucket that nobody configured: SSE-S3, and (since April 2026) SSE-C blocked. */
export const DEFAULT_ENCRYPTION: EncryptionConfiguration = {
  Rules: [
    {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
      BucketKeyEnabled: false,
      BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
    },
  ],
};

/** Throws AwsError when a KMS key is named for an algorithm that has none. */
export function checkEncryption(configuration: EncryptionConfiguration): void {
  for (const { ApplyServerSideEncryptionByDefault: byDefault } of configuration.Rules) {
    if (byDefault?.SSEAlgorithm === 'AES256' && byDefault.KMSMasterKeyID !== undefined) {
      const message = 'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse';
      throw invalidArgument(message, 'ApplyServerSideEncryptionByDefault');
    }
  }
}

export function encryptionFromXml(element: unknown): unknown {
  return rename(element, { Rule: 'Rules' });
}

export function encryptionToXml({ Rules }: EncryptionConfiguration): XmlMembers {
  return { Rule: list(Rules) as XmlMembers[] };
}
