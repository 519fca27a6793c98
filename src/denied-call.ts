/** Which call IAM denied, as AWS's messages tell since 2021 within one account or organization. */

export interface DeniedCall {
  /** Such as `s3:PutObject` or `kms:Decrypt`: S3 also passes on what KMS denied. */
  action: string;
  /** An ARN, up to the first blank of its key. */
  resource: string;
}

/** The resource stands in quotes where S3 denies, and without where KMS does. */
const DENIAL = /is not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)(?: on resource: "?([^\s"]+)"?)?/;

/** How KMS refuses to decrypt under a key that it will not even say exists. */
const UNKNOWN_KEY = /The ciphertext refers to a customer master key that does not exist/;

/**
 * `null`: the message does not say, as across accounts.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
export function deniedCall(message: string): DeniedCall | null {
  const [, action, resource = ''] = DENIAL.exec(message) ?? [];
  // The call stands before the key, which may be named like anything.
  if (action !== undefined) return { action, resource };
  return UNKNOWN_KEY.test(message) ? { action: 'kms:Decrypt', resource: '' } : null;
}
