/** KMS's refusals, as S3 passes them on. */
import { AwsError } from '../../aws-error.ts';
import { accessDenied } from '../errors.ts';

/**
 * Runs a call to KMS. `DisabledException` and the like become `KMS.DisabledException` with KMS's message and status 400;
 * a denial becomes S3's own, a throttle S3's SlowDown (its words were seen in AWS Glue), a failure of KMS S3's 503 (unverified).
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
export function asS3<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === 'AccessDeniedException') throw accessDenied(error.message);
    if (error.code === 'ThrottlingException') {
      throw new AwsError(503, 'SlowDown', 'Please reduce your request rate for operations involving AWS KMS.');
    }
    if (error.status >= 500) throw new AwsError(503, 'ServiceUnavailable', 'Service is unable to handle request.');
    throw new AwsError(400, `KMS.${error.code}`, error.message);
  }
}
