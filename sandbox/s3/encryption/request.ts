/** Which encryption a write asks for: its headers first, then the bucket's default. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AwsError } from '../../aws-error.ts';
import type { EncryptionConfiguration } from '../bucket/encryption-configuration.ts';
import { accessDenied, invalidArgument } from '../errors.ts';
import { namesCustomerKey, parseCustomerKey } from './customer-key.ts';
import { type Choice, type Owner, objectArn } from './mode.ts';

const ALGORITHM = 'x-amz-server-side-encryption';
const KEY_ID = 'x-amz-server-side-encryption-aws-kms-key-id';
const CONTEXT = 'x-amz-server-side-encryption-context';
const BUCKET_KEY = 'x-amz-server-side-encryption-bucket-key-enabled';
const AWS_MANAGED_KEY = 'alias/aws/s3';

export interface WriteRequest {
  headers: IncomingHttpHeaders;
  secure: boolean;
  /** Of the caller, for the words of a refusal. */
  principalArn: string;
  /** The operation's IAM action, likewise. */
  action: string;
}

/**
 * Decides the encryption of a new object.
 * Throws AwsError: 403 when the bucket blocks what is asked for, 400 when the headers contradict each other or make no sense.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html
 */
export function chooseEncryption(request: WriteRequest, bucketDefault: EncryptionConfiguration, owner: Owner): Choice {
  const { headers, secure } = request;
  const algorithm = headers[ALGORITHM];
  const rule = bucketDefault.Rules[0];
  if (namesCustomerKey(headers)) {
    if (algorithm !== undefined) {
      const message = 'Server Side Encryption with Customer provided key is incompatible with the encryption method specified';
      throw invalidArgument(message, ALGORITHM, String(algorithm));
    }
    if (blocksCustomerKeys(bucketDefault)) throw blocked(request, owner);
    const customerKey = parseCustomerKey(headers, secure);
    if (customerKey) return { mode: 'sse-c', customerKey };
  }
  if (algorithm === undefined) {
    if (headers[KEY_ID] !== undefined) throw keyWithoutKms();
    const byDefault = rule?.ApplyServerSideEncryptionByDefault;
    return choose(byDefault?.SSEAlgorithm ?? 'AES256', byDefault?.KMSMasterKeyID, headers, rule?.BucketKeyEnabled ?? false);
  }
  const keyId = headers[KEY_ID];
  return choose(String(algorithm), typeof keyId === 'string' ? keyId : undefined, headers, rule?.BucketKeyEnabled ?? false);
}

/** A bucket blocks SSE-C unless its configuration says `NONE`. */
export function blocksCustomerKeys(configuration: EncryptionConfiguration): boolean {
  return !configuration.Rules.some((rule) => rule.BlockedEncryptionTypes?.EncryptionType?.includes('NONE'));
}

/** What a read must not carry: the encryption of a stored object is not up to its reader. */
export function refuseEncryptionHeaders(headers: IncomingHttpHeaders): void {
  const algorithm = headers[ALGORITHM];
  if (algorithm !== undefined) {
    throw invalidArgument('x-amz-server-side-encryption header is not supported for this operation.', ALGORITHM, String(algorithm));
  }
  if (headers[KEY_ID] !== undefined) throw keyWithoutKms();
}

function choose(algorithm: string, keyId: string | undefined, headers: IncomingHttpHeaders, bucketKeyByDefault: boolean): Choice {
  switch (algorithm) {
    case 'AES256':
      if (keyId !== undefined) throw keyWithoutKms();
      return { mode: 'sse-s3' };
    case 'aws:kms':
      return {
        mode: 'sse-kms',
        keyId: keyId ?? AWS_MANAGED_KEY,
        context: parseContext(headers[CONTEXT]),
        bucketKey: parseFlag(headers[BUCKET_KEY]) ?? bucketKeyByDefault,
      };
    case 'aws:kms:dsse':
      if (parseFlag(headers[BUCKET_KEY]) === true) {
        throw invalidArgument('S3 Bucket Keys are not supported for DSSE-KMS.', BUCKET_KEY, 'true');
      }
      return { mode: 'dsse-kms', keyId: keyId ?? AWS_MANAGED_KEY, context: parseContext(headers[CONTEXT]) };
    default:
      throw invalidArgument('The encryption method specified is not supported', ALGORITHM, algorithm);
  }
}

function parseFlag(header: string | string[] | undefined): boolean | null {
  if (header === undefined) return null;
  const value = String(header).toLowerCase();
  if (value !== 'true' && value !== 'false') throw invalidArgument('The value must be true or false.', BUCKET_KEY, value);
  return value === 'true';
}

function parseContext(header: string | string[] | undefined): Record<string, string> {
  if (header === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(String(header), 'base64').toString('utf8'));
  } catch {
    throw malformedContext();
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformedContext();
  const context: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'string') throw malformedContext();
    context[name] = value;
  }
  return context;
}

function malformedContext(): AwsError {
  const message = `The header '${CONTEXT}' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map`;
  return invalidArgument(message, CONTEXT);
}

function keyWithoutKms(): AwsError {
  const message = 'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms';
  return invalidArgument(message, ALGORITHM);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html */
function blocked({ principalArn, action }: WriteRequest, owner: Owner): AwsError {
  return accessDenied(
    `User: ${principalArn} is not authorized to perform: ${action} on resource: "${objectArn(owner)}" because this bucket has blocked ` +
      'upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type',
  );
}
