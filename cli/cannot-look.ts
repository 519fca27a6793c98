/** Why nothing can be looked at: exit code 2. */

/** Node's names for a connection that could not be made. */
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPROTO']);

/** https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and S3's own names for the same. */
const CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
]);

/** The message says what happened and what to do. */
export class CannotLook extends Error {
  override readonly name = 'CannotLook';

  /** `null`: this failure is about one look only. */
  static because(cause: unknown): CannotLook | null {
    if (cause instanceof CannotLook) return cause;
    if (!(cause instanceof Error)) return null;
    const code = 'code' in cause ? String(cause.code) : '';
    if (CREDENTIALS.has(cause.name))
      return new CannotLook(`There are no credentials that AWS takes (${cause.name}: ${cause.message}). Log in, or source .sandbox/env.`, {
        cause,
      });
    if (NETWORK.has(code))
      return new CannotLook(`There is no connection (${code}: ${cause.message}). Is AWS_ENDPOINT_URL right, and does the sandbox run?`, {
        cause,
      });
    if (/region is missing/i.test(cause.message))
      return new CannotLook('No Region is known. Say --region REGION or set AWS_REGION.', { cause });
    return null;
  }
}
