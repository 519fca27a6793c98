/** What a refusal in the target bucket says of who refused. */
import { CannotLook } from '../../cannot-look.ts';
import { errorMessage, isDenied } from '../../sdk-error.ts';
import type { DoctorContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { couldNotLook } from '../look.ts';

/**
 * S3 says of requests within an account which policy refused them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
export function refusedBy(cause: unknown): 'bucket-policy' | 'kms' | 'unknown' {
  const message = errorMessage(cause);
  if (isDenied(cause) && /perform: kms:/.test(message)) return 'kms';
  return isDenied(cause) && /explicit deny in a resource-based policy/.test(message) ? 'bucket-policy' : 'unknown';
}

/** @throws CannotLook */
export function notTried(resource: string, action: string, cause: unknown, remedy?: string): Finding {
  const hopeless = CannotLook.because(cause);
  if (hopeless !== null) throw hopeless;
  return couldNotLook({ subject: 'target-policy', resource, action }, cause, remedy);
}

export function targetOf({ stack }: DoctorContext): { Bucket: string; ExpectedBucketOwner: string } {
  return { Bucket: stack.targetBucket, ExpectedBucketOwner: stack.targetBucketOwner };
}
