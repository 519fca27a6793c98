/** The three SSE-C headers of a request, as S3 judges them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../../aws-error.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import type { CustomerKey } from './mode.ts';

const KEY_BYTES = 32;
/** S3 names this header in all these errors, whichever was wrong. */
const ARGUMENT = 'x-amz-server-side-encryption';

export const CUSTOMER_KEY_PREFIX = 'x-amz-server-side-encryption-customer-';
export const SOURCE_KEY_PREFIX = 'x-amz-copy-source-server-side-encryption-customer-';

/** True when the request carries any of the three. */
export function namesCustomerKey(headers: IncomingHttpHeaders, prefix = CUSTOMER_KEY_PREFIX): boolean {
  return headers[`${prefix}algorithm`] !== undefined || headers[`${prefix}key`] !== undefined || headers[`${prefix}key-md5`] !== undefined;
}

/**
 * Reads the customer key of a request, or of its copy source; `null` when there is none.
 * Throws AwsError: over plain HTTP, with one of the three headers missing, another algorithm than AES256, a key that is not
 * 32 bytes, or an MD5 that is not the key's.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
 */
export function parseCustomerKey(headers: IncomingHttpHeaders, secure: boolean, prefix = CUSTOMER_KEY_PREFIX): CustomerKey | null {
  if (!namesCustomerKey(headers, prefix)) return null;
  if (!secure) {
    throw invalidRequest('Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.');
  }
  const algorithm = headers[`${prefix}algorithm`];
  const key = headers[`${prefix}key`];
  const md5 = headers[`${prefix}key-md5`];
  if (typeof algorithm !== 'string') {
    throw refuse('Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.');
  }
  if (algorithm !== 'AES256') {
    const message = 'The Encryption request you specified is not valid. Supported value: AES256.';
    throw new AwsError(400, 'InvalidEncryptionAlgorithmError', message, { ArgumentName: ARGUMENT, ArgumentValue: algorithm });
  }
  if (typeof key !== 'string') {
    throw refuse('Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.');
  }
  if (typeof md5 !== 'string') {
    throw refuse(
      'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
    );
  }
  const bytes = Buffer.from(key, 'base64');
  const expected = createHash('md5').update(bytes).digest();
  const given = Buffer.from(md5, 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refuse('The calculated MD5 hash of the key did not match the hash that was provided.');
  }
  if (bytes.length !== KEY_BYTES) throw refuse('The secret key was invalid for the specified algorithm.');
  return { key: bytes, md5: expected.toString('base64') };
}

function refuse(message: string): AwsError {
  return invalidArgument(message, ARGUMENT);
}
