/** Which key `aws/s3` is: S3's answers name it by ARN, so it is resolved once to be compared. */
import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { SealdropError } from '../errors.ts';
import { translateAwsError } from '../translate-aws-error.ts';

/** @returns a function that gives the full ARN of the AWS managed key for S3; one request for the life of the process */
export function createManagedKey(kms: KMSClient): () => Promise<string> {
  let arn: Promise<string> | null = null;
  return () => {
    arn ??= describe(kms).catch((error: unknown) => {
      arn = null;
      throw error;
    });
    return arn;
  };
}

async function describe(kms: KMSClient): Promise<string> {
  const answer = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' })).catch((error: unknown) => {
    throw translateAwsError(error, {
      NotFoundException: ['kms-key-not-found', 'the AWS managed key aws/s3 does not exist'],
      AccessDeniedException: ['kms-key-denied', 'the AWS managed key aws/s3 may not be described'],
    });
  });
  if (answer.KeyMetadata?.Arn === undefined) throw new SealdropError('kms-key-not-found', 'KMS described aws/s3 without an ARN');
  return answer.KeyMetadata.Arn;
}
