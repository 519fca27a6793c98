/**
 * Why a presigned URL was refused. AWS documents the codes alone; the words are those of answers that S3 gave.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
import { AwsError } from '../aws-error.ts';
import type { Time } from './sigv4.ts';

/** Clients that take an `Authorization` header along when they follow a redirect meet this. Its value is a secret, so it is not repeated. */
export const severalMechanisms = (): AwsError =>
  new AwsError(
    400,
    'InvalidArgument',
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    { ArgumentName: 'Authorization' },
  );

export const missingParameters = (): AwsError =>
  malformed(
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
  );

export const unknownAlgorithm = (): AwsError => malformed('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"');

export const malformedCredential = (): AwsError =>
  malformed(
    'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
  );

export const wrongRegion = (region: string, expected: string): AwsError =>
  malformed(`Error parsing the X-Amz-Credential parameter; the region '${region}' is wrong; expecting '${expected}'`, { Region: expected });

export const malformedDate = (): AwsError => malformed(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);

export const otherDate = (ofCredential: string, { text }: Time): AwsError =>
  malformed(`Invalid credential date "${ofCredential}". This date is not the same as X-Amz-Date: "${text.slice(0, 8)}".`);

export const expiresIsNoNumber = (): AwsError => malformed('X-Amz-Expires should be a number');

export const expiresIsNegative = (): AwsError => malformed('X-Amz-Expires must be non-negative');

export const expiresIsTooLate = (maxSeconds: number): AwsError =>
  malformed(
    `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${maxSeconds} seconds`,
  );

/** @param until milliseconds since the epoch, as `now` */
export const expired = (seconds: number, until: number, now: number): AwsError =>
  new AwsError(403, 'AccessDenied', 'Request has expired', {
    'X-Amz-Expires': String(seconds),
    Expires: isoTime(until),
    ServerTime: isoTime(now),
  });

/** The one date that S3 tells in milliseconds. */
export const notYetValid = ({ epochMs }: Time, until: number, now: number): AwsError =>
  new AwsError(403, 'AccessDenied', 'Request is not yet valid', {
    'X-Amz-Date': String(epochMs),
    Expires: isoTime(until),
    ServerTime: isoTime(now),
  });

function malformed(message: string, detail: Record<string, string> = {}): AwsError {
  return new AwsError(400, 'AuthorizationQueryParametersError', message, detail);
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}/, '');
}
