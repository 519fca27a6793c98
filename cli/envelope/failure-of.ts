/** What the product, the SDK and the file system say, in a command's words. */
import { type ErrorCode, SealdropError } from '../../src/errors.ts';
import { CannotLook } from '../cannot-look.ts';
import { Failure } from '../failure.ts';
import { errorMessage, errorName, httpStatus, isDenied } from '../sdk-error.ts';
import { Incomplete } from './standard-output.ts';

const FOREIGN = 'Is it what was encrypted, whole, and for this place? `sealdrop decrypt --help` says what --context and --any-context do.';
const KMS_DENIED = 'Grant the caller kms:GenerateDataKey to encrypt and kms:Decrypt to decrypt, in the key policy or by IAM.';
const SECRET = 'Does --secret name the secret that is meant, in --region, and may the caller read it (secretsmanager:GetSecretValue)?';

/** The product's own next steps are those of who operates the pipeline. */
const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  'ciphertext-invalid': FOREIGN,
  'wrapping-key-mismatch': FOREIGN,
  'wrapping-key-missing': SECRET,
  'wrapping-key-invalid': 'Store 32 raw bytes, 64 hex digits, base64 of 32 bytes or 32 ASCII characters in the secret.',
  'customer-key-missing': SECRET,
  'customer-key-invalid': 'Store 32 raw bytes, 64 hex digits, base64 of 32 bytes or 32 ASCII characters in the secret.',
  'kms-key-disabled': 'Enable the KMS key.',
  'kms-key-pending-deletion': 'Cancel the deletion of the KMS key and enable it.',
  'kms-key-not-found': 'Does --kms-key name the key that is meant? S3 takes keys of the Region of the bucket.',
  'kms-key-denied': KMS_DENIED,
  'target-missing': 'Is it the bucket that is meant?',
  'target-denied':
    'Grant s3:PutObject, s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, whose own policy may refuse other writers than its own; a bucket of another account needs --bucket-owner ACCOUNT.',
  'access-denied': 'Grant the caller the call that is named. A bucket of another account needs --bucket-owner ACCOUNT.',
  'sse-c-blocked': "Set BlockedEncryptionTypes to NONE in the bucket's encryption, or say another --mode.",
  'target-changed': 'Somebody wrote the object at the same time: look at what is there, and run the same command again.',
  'too-large': 'Say a larger --part-mib: there are 10,000 parts at most.',
  'answer-mismatch': 'Is it Amazon S3 that answers? Treat what was stored as exposed until that is known.',
  throttled: 'Run the same command again in a while.',
  'time-out': 'Run the same command again.',
  'service-unavailable': 'Run the same command again in a while.',
  conflict: 'Run the same command again once nobody else writes the object.',
};

/**
 * @param what it happened to
 * @returns Failure or CannotLook; anything else as it is, which nobody foresaw
 */
export function failureOf(error: unknown, what: string): unknown {
  if (error instanceof Failure) return error;
  if (error instanceof Incomplete) return incompletely(error, what);
  const cannot = CannotLook.because(error) ?? (error instanceof SealdropError ? CannotLook.because(error.cause) : null);
  if (cannot !== null) return cannot;
  if (error instanceof SealdropError) {
    const { code, message } = error;
    return new Failure(`${what}: ${message}`, { code, nextStep: NEXT_STEPS[code], cause: error });
  }
  if (httpStatus(error) !== 0) {
    return new Failure(`${what}: ${errorName(error)} (${errorMessage(error)})`, {
      code: errorName(error),
      status: httpStatus(error),
      nextStep: isDenied(error) ? NEXT_STEPS['access-denied'] : undefined,
      cause: error,
    });
  }
  // The file system's message names its path.
  if (error instanceof Error && 'syscall' in error && 'errno' in error) {
    return new Failure(errorMessage(error), { nextStep: 'Make room or the right to write there, or say another TARGET.', cause: error });
  }
  return error;
}

/** It was tried, whatever came between. */
function incompletely({ cause, left }: Incomplete, what: string): unknown {
  const known = failureOf(cause, what);
  const failure = known instanceof CannotLook ? new Failure(known.message, { cause: known }) : known;
  if (failure instanceof Failure) failure.left ??= left;
  return failure;
}
