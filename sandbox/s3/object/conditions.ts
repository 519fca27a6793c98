/**
 * Conditional requests, with S3's precedence.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AwsError } from '../../aws-error.ts';
import { httpDate, quoted } from '../answer.ts';
import { conditionalRequestConflict, EmptyAnswer, headerNotImplemented, preconditionFailed } from '../errors.ts';
import type { ObjectRecord } from '../store/objects.ts';
import type { Upload } from '../store/uploads.ts';

const SOURCE_PREFIX = 'x-amz-copy-source-';

/**
 * Judges GET and HEAD. An ETag condition outweighs the date condition of its kind.
 * Throws AwsError 412, or EmptyAnswer 304.
 */
export function checkRead(headers: IncomingHttpHeaders, record: ObjectRecord): void {
  const failed = failedCondition(headers, '', record);
  if (failed === null) return;
  if (failed.kind === 'not-modified') {
    throw new EmptyAnswer(304, { etag: quoted(record.etag), 'last-modified': httpDate(record.modified) });
  }
  throw preconditionFailed(failed.name);
}

/**
 * Whether the range of a read is to be given: without If-Range, or while the object is still the one that it names, by its ETag
 * (never a weak one) or its exact Last-Modified. AWS's pages do not have it; S3 was seen to answer as RFC 9110 says.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
 * @see https://github.com/aws/aws-sdk-kotlin/issues/1645
 */
export function rangeHolds(headers: IncomingHttpHeaders, { etag, modified }: ObjectRecord): boolean {
  const ifRange = headers['if-range'];
  return ifRange === undefined || ifRange === quoted(etag) || ifRange === httpDate(modified);
}

/** Judges the `x-amz-copy-source-if-…` headers; whatever fails is a 412. */
export function checkCopySource(headers: IncomingHttpHeaders, record: ObjectRecord): void {
  const failed = failedCondition(headers, SOURCE_PREFIX, record);
  if (failed !== null) throw preconditionFailed(`${SOURCE_PREFIX}${failed.name}`);
}

/** What a write is about to replace. */
export interface Destination {
  current(): ObjectRecord | null;
  /** What is said where If-Match finds nothing. */
  missing(): AwsError;
  /** The upload that is to become the object; `null`: the write is one request. */
  upload: Upload | null;
}

/**
 * Judges the destination of a write, against its current version. Where the condition of an upload's end holds although the key was
 * written (If-Match) or deleted (If-None-Match) since its beginning, S3 takes that for a conflict, and another upload must be begun.
 * It counts a DELETE also where nothing was there, but not one of a version: tried by others on AWS.
 * Throws AwsError: 412, 409, `missing`, 501 for what S3 does not take on writes.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @see https://github.com/localstack/localstack/blob/main/tests/aws/services/s3/test_s3_api.py (TestS3ObjectWritePrecondition)
 * @see https://github.com/open-io/swift/blob/HEAD/test/s3api/test_conditional_write.py
 */
export function checkWrite(headers: IncomingHttpHeaders, { current, missing, upload }: Destination): void {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw headerNotImplemented('If-Match,If-None-Match', 'Multiple conditional request headers present in the request');
  }
  const found = current();
  const existing = found?.sealed ? found : null;
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*')
      throw headerNotImplemented('If-None-Match', "We don't accept the provided value of If-None-Match header for this API");
    if (existing) throw preconditionFailed('If-None-Match');
    if (upload?.deleted) throw conditionalRequestConflict('If-None-Match', upload.key);
    return;
  }
  if (ifMatch === '*') throw headerNotImplemented('If-Match', "We don't accept the provided value of If-Match header for this API");
  if (!existing) throw missing();
  if (!names(String(ifMatch), existing.etag)) throw preconditionFailed('If-Match');
  if (upload && existing.id > upload.id) throw conditionalRequestConflict('If-Match', upload.key);
}

interface Failure {
  kind: 'failed' | 'not-modified';
  name: string;
}

function failedCondition(headers: IncomingHttpHeaders, prefix: string, { etag, modified }: ObjectRecord): Failure | null {
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const ifModifiedSince = dateOf(headers[`${prefix}if-modified-since`]);
  const ifUnmodifiedSince = dateOf(headers[`${prefix}if-unmodified-since`]);
  const seconds = Math.floor(modified / 1000) * 1000;

  if (ifMatch !== undefined) {
    if (!names(String(ifMatch), etag)) return { kind: 'failed', name: 'If-Match' };
  } else if (ifUnmodifiedSince !== null && seconds > ifUnmodifiedSince) {
    return { kind: 'failed', name: 'If-Unmodified-Since' };
  }
  if (ifNoneMatch !== undefined) {
    if (names(String(ifNoneMatch), etag)) return { kind: 'not-modified', name: 'If-None-Match' };
  } else if (ifModifiedSince !== null && ifModifiedSince <= Date.now() && seconds <= ifModifiedSince) {
    return { kind: 'not-modified', name: 'If-Modified-Since' };
  }
  return null;
}

/** Lists of ETags, quoted or not, weak or not, and `*`. */
function names(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((item) => item.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((item) => item === '*' || item === etag);
}

function dateOf(header: string | string[] | undefined): number | null {
  if (header === undefined) return null;
  const date = Date.parse(String(header));
  return Number.isNaN(date) ? null : date;
}
