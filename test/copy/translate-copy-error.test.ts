import { S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { translateCopyError } from '../../src/copy/translate-copy-error.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { s3Error } from '../fixtures/aws.ts';
import { INGEST_BUCKET, objectRef, STACK_KEY, TARGET_BUCKET } from '../fixtures/objects.ts';

const TOO_LARGE = 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120';
const OTHER_KEY =
  'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.';

/** How S3 words it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html */
const denied = (action: string, bucket: string, why: string) =>
  `User: arn:aws:sts::000000000000:assumed-role/encrypt/f is not authorized to perform: ${action} on resource: "arn:aws:s3:::${bucket}/k" ${why}`;
const BY_POLICY = 'with an explicit deny in a resource-based policy';
const noPolicy = (action: string) => `because no identity-based policy allows the ${action} action`;
/** KMS puts no quotes around the key. */
const deniedKey = (action: string, key: string) =>
  `User: arn:aws:sts::000000000000:assumed-role/encrypt/f is not authorized to perform: ${action} on resource: ${key} because no resource-based policy allows the ${action} action`;
const OTHER_ACCOUNT = STACK_KEY.replace('000000000000', '999999999999');
const UNKNOWN_KEY =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.';

/** Name, message, status → what it is to us. */
const MEANINGS: [name: string, message: string, status: number, code: ErrorCode, retryable: boolean][] = [
  ['NoSuchKey', 'The specified key does not exist.', 404, 'source-gone', false],
  ['NoSuchVersion', 'The specified version does not exist.', 404, 'source-gone', false],
  ['PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, 'source-changed', true],
  ['InvalidObjectState', 'Operation is not valid for the source object', 403, 'source-unreadable', false],
  ['ObjectNotInActiveTierError', 'The source object of the COPY action is not in the active tier', 403, 'source-unreadable', false],
  ['InvalidRequest', TOO_LARGE, 400, 'too-large', false],
  ['InvalidRequest', OTHER_KEY, 400, 'source-unreadable', false],
  ['InvalidArgument', 'Invalid version id specified', 400, 'malformed-event', false],
  ['AccessDenied', denied('s3:GetObjectVersion', INGEST_BUCKET, noPolicy('s3:GetObjectVersion')), 403, 'source-unreadable', false],
  ['AccessDenied', denied('s3:GetObjectTagging', INGEST_BUCKET, BY_POLICY), 403, 'source-unreadable', false],
  ['AccessDenied', denied('s3:ListBucket', INGEST_BUCKET, noPolicy('s3:ListBucket')), 403, 'source-unreadable', false],
  ['AccessDenied', denied('s3:PutObject', TARGET_BUCKET, BY_POLICY), 403, 'target-denied', false],
  ['AccessDenied', denied('s3:PutObjectTagging', TARGET_BUCKET, noPolicy('s3:PutObjectTagging')), 403, 'target-denied', false],
  ['AccessDenied', denied('s3:GetObject', TARGET_BUCKET, BY_POLICY), 403, 'target-denied', false],
  ['AccessDenied', denied('s3:PutObject', 'target-that-blocks-sse-c', BY_POLICY), 403, 'target-denied', false],
  ['AccessDenied', deniedKey('kms:GenerateDataKey', STACK_KEY), 403, 'kms-key-denied', false],
  ['AccessDenied', deniedKey('kms:Decrypt', STACK_KEY), 403, 'kms-key-denied', false],
  ['AccessDenied', deniedKey('kms:Decrypt', OTHER_ACCOUNT), 403, 'source-unreadable', false],
  ['AccessDenied', UNKNOWN_KEY, 403, 'source-unreadable', false],
  ['AccessDenied', 'Access Denied', 403, 'access-denied', false],
  ['AccessDenied', 'The bucket blocks server-side encryption with customer-provided keys (SSE-C)', 403, 'sse-c-blocked', false],
  ['KMS.DisabledException', 'key is disabled', 400, 'kms-key-disabled', false],
  ['KMS.KMSInvalidStateException', 'key is pending deletion', 400, 'kms-key-pending-deletion', false],
  ['KMS.NotFoundException', 'no such key', 400, 'kms-key-not-found', false],
  ['KMS.AccessDeniedException', 'no', 400, 'kms-key-denied', false],
  ['KMS.InvalidKeyUsageException', 'not for encryption', 400, 'kms-key-not-found', false],
  ['KMS.InvalidArnException', 'no ARN', 400, 'kms-key-not-found', false],
  ['KMS.LimitExceededException', 'too many', 400, 'quota', false],
  ['KMS.KeyUnavailableException', 'later', 500, 'service-unavailable', true],
  ['KMS.DependencyTimeoutException', 'later', 503, 'service-unavailable', true],
  ['KMS.KMSInternalException', 'later', 500, 'service-unavailable', true],
  ['NoSuchUpload', 'The specified multipart upload does not exist.', 404, 'conflict', true],
  ['InvalidPart', 'One or more of the specified parts could not be found.', 400, 'conflict', true],
  ['BadDigest', 'The crc64nvme you specified did not match the calculated checksum.', 400, 'answer-mismatch', false],
  ['InvalidRequest', "The provided 'x-amz-mp-object-size' header value does not match what was computed", 400, 'answer-mismatch', false],
  ['EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, 'config-invalid', false],
  ['EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, 'too-large', false],
  ['MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, 'metadata-not-copyable', false],
  ['RequestHeaderSectionTooLarge', 'Your request header exceeds the maximum allowed size', 400, 'metadata-not-copyable', false],
  ['AccessDenied', denied('s3:AbortMultipartUpload', TARGET_BUCKET, BY_POLICY), 403, 'target-denied', false],
  ['AccessDenied', denied('s3:ListMultipartUploadParts', TARGET_BUCKET, BY_POLICY), 403, 'target-denied', false],
  ['ServiceQuotaExceededException', 'used up', 400, 'quota', false],
  ['AbortError', 'Request aborted', 0, 'time-out', true],
  ['TimeoutError', 'Connection timed out', 0, 'time-out', true],
  ['OperationAborted', 'A conflicting conditional operation is currently in progress', 409, 'conflict', true],
  ['ConditionalRequestConflict', 'conflict', 409, 'conflict', true],
  ['SlowDown', 'Please reduce your request rate.', 503, 'throttled', true],
  ['KMS.ThrottlingException', 'You have exceeded the rate', 400, 'throttled', true],
  ['RequestTimeout', 'Your socket connection was not read from', 400, 'time-out', true],
  ['InternalError', 'We encountered an internal error. Please try again.', 500, 'service-unavailable', true],
  ['ServiceUnavailable', 'Reduce', 503, 'service-unavailable', true],
  ['ExpiredToken', 'The provided token has expired.', 400, 'service-unavailable', true],
  ['BrandNewError', 'nobody knows it', 418, 'unknown', true],
  ['InvalidRequest', 'something else', 400, 'unknown', true],
];

const translate = (error: unknown) => translateCopyError(error, objectRef(), TARGET_BUCKET, STACK_KEY);

describe('translateCopyError', () => {
  it.each(MEANINGS)('%s (%s) becomes %4$s', (name, message, status, code, retryable) => {
    const cause = s3Error(name, status, message);
    const translated = translate(cause);
    expect(translated).toMatchObject({ code, retryable, object: { bucket: INGEST_BUCKET, key: objectRef().key } });
    expect(translated.message).toContain(message);
    expect(translated.cause).toBe(cause);
  });

  it.each([
    'a SSE-C block',
    '"SSE-C" blocked.txt',
    'The ciphertext refers to a customer master key that does not exist',
    'x is not authorized to perform: kms:Decrypt on resource: y',
  ])('does not believe a key that reads like a refusal: %s', (key) => {
    const message = denied('s3:PutObject', TARGET_BUCKET, BY_POLICY).replace('/k"', `/${key}"`);
    const translated = translateCopyError(s3Error('AccessDenied', 403, message), objectRef({ key }), TARGET_BUCKET, STACK_KEY);
    expect(translated.code).toBe('target-denied');
  });

  it.each([
    [INGEST_BUCKET, 'source-gone'],
    [TARGET_BUCKET, 'target-missing'],
  ])('tells by its name which bucket is missing: %s is %s', (bucket, code) => {
    const error = Object.assign(s3Error('NoSuchBucket', 404), { BucketName: bucket });
    expect(translate(error)).toMatchObject({ code, message: `bucket ${bucket} does not exist` });
  });

  it('takes the target for the missing one when S3 names none', () => {
    expect(translate(s3Error('NoSuchBucket', 404))).toMatchObject({ code: 'target-missing' });
  });

  it.each(['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'EPIPE'])('a connection lost by %s is tried again', (code) => {
    expect(translate(Object.assign(new Error('socket'), { code }))).toMatchObject({ code: 'service-unavailable', retryable: true });
  });

  it('a 5xx without a known name is tried again', () => {
    expect(translate(s3Error('Strange', 502))).toMatchObject({ code: 'service-unavailable', retryable: true });
  });

  it('what is no Error at all is unknown, with its text', () => {
    expect(translate('thrown text')).toMatchObject({ code: 'unknown', message: expect.stringContaining('thrown text') });
    expect(translate(new S3ServiceException({ name: 'X', $fault: 'client', $metadata: {} }))).toMatchObject({ code: 'unknown' });
  });
});
