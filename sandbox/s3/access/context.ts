/**
 * The condition keys of a request: what it says itself, never what the bucket's defaults make of it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
 */
import { ACCOUNT_ID } from '../../account.ts';
import type { ConditionKeyName } from '../../iam/condition-keys.ts';
import type { RequestContext } from '../../iam/judge.ts';
import type { Signature, WireRequest } from '../../service.ts';
import type { Operation } from '../operations.ts';

/** Loopback stands for TLS 1.3. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#example-object-tls-version */
const SECURE: RequestContext = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:ResourceAccount': ACCOUNT_ID };
const INSECURE: RequestContext = { 'aws:SecureTransport': 'false', 's3:ResourceAccount': ACCOUNT_ID };

const BY_HEADER: readonly (readonly [header: string, key: ConditionKeyName])[] = [
  ['x-amz-acl', 's3:x-amz-acl'],
  ['x-amz-copy-source', 's3:x-amz-copy-source'],
  ['x-amz-metadata-directive', 's3:x-amz-metadata-directive'],
  ['x-amz-server-side-encryption', 's3:x-amz-server-side-encryption'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 's3:x-amz-server-side-encryption-aws-kms-key-id'],
  ['x-amz-server-side-encryption-customer-algorithm', 's3:x-amz-server-side-encryption-customer-algorithm'],
  ['x-amz-storage-class', 's3:x-amz-storage-class'],
  ['if-match', 's3:if-match'],
  ['if-none-match', 's3:if-none-match'],
];
const BY_PARAMETER: readonly (readonly [parameter: string, key: ConditionKeyName])[] = [
  ['prefix', 's3:prefix'],
  ['delimiter', 's3:delimiter'],
  ['max-keys', 's3:max-keys'],
  ['versionId', 's3:VersionId'],
];
const ENCRYPTION_HEADERS = new Set(BY_HEADER.map(([header]) => header).filter((header) => header.includes('encryption')));

/**
 * Whether the request makes an object; absent for what writes none.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
const CREATES: Partial<Record<Operation, 'true' | 'false'>> = {
  PutObject: 'true',
  CopyObject: 'true',
  CompleteMultipartUpload: 'true',
  CreateMultipartUpload: 'false',
  UploadPart: 'false',
  UploadPartCopy: 'false',
};

/** What is known of every request, and all there is for what an operation asks besides its own action. */
export function transportContext({ secure, signature }: WireRequest): RequestContext {
  return { ...(secure ? SECURE : INSECURE), ...(signature && signatureContext(signature)) };
}

/** As above, of a version that something besides the request's parameters names; `null` for the current one. */
export function versionContext(request: WireRequest, versionId: string | null): RequestContext {
  return versionId === null ? transportContext(request) : { ...transportContext(request), 's3:VersionId': versionId };
}

/**
 * @param inherited of the upload that the request belongs to, as `encryptionContext` gave them when it began; the request's own
 * come first
 */
export function requestContext(operation: Operation, request: WireRequest, inherited: RequestContext): RequestContext {
  const context: Record<string, string | readonly string[]> = { ...transportContext(request), ...inherited };
  for (const [header, key] of BY_HEADER) {
    const value = request.headers[header];
    if (value !== undefined) context[key] = value;
  }
  for (const [parameter, key] of BY_PARAMETER) {
    const value = request.query.get(parameter);
    if (value !== null) context[key] = value;
  }
  const creates = CREATES[operation];
  if (creates !== undefined) context['s3:ObjectCreationOperation' satisfies ConditionKeyName] = creates;
  return context;
}

/**
 * How the request was signed; the age, in milliseconds, is known of presigned URLs alone.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 */
function signatureContext({ by, signedAt }: Signature): Partial<Record<ConditionKeyName, string>> {
  const version = 'AWS4-HMAC-SHA256';
  if (by === 'header') return { 's3:authType': 'REST-HEADER', 's3:signatureversion': version };
  const age = Math.max(0, Date.now() - signedAt);
  return { 's3:authType': 'REST-QUERY-STRING', 's3:signatureversion': version, 's3:signatureAge': String(age) };
}

/**
 * What CreateMultipartUpload says of encryption. The parts and the completion carry no such headers, and are judged as if they did.
 * Unverified, with reports both ways: `sealdrop doctor` tries it on the real thing.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 */
export function encryptionContext({ headers }: WireRequest): Record<string, string> {
  const context: Record<string, string> = {};
  for (const [header, key] of BY_HEADER) {
    if (ENCRYPTION_HEADERS.has(header) && headers[header] !== undefined) context[key] = String(headers[header]);
  }
  return context;
}
