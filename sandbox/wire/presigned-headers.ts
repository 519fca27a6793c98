/**
 * Headers that stand in the query of a presigned URL. S3 reads them as if they had been sent, which AWS documents nowhere as a rule;
 * SDKs rely on it, each for other headers.
 * @see https://github.com/aws/aws-sdk-js-v3/tree/main/packages/s3-request-presigner
 * @see https://github.com/localstack/localstack/blob/main/tests/aws/services/s3/test_s3.py (TestS3PresignedUrl, run against AWS)
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Of the authentication itself: no operation is to see them. */
const AUTHENTICATION = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
]);
const CONDITIONS = ['if-match', 'if-none-match'];
const SIGNATURE = /^X-Amz-Signature=/;

export interface SplitQuery {
  /** What is left for the operation. */
  query: URLSearchParams;
  /** Lower-cased names that were not sent, and their values. */
  headers: Map<string, string>;
  /** What the URL itself says of the payload. */
  payloadHash: string | null;
}

/**
 * - A header that was sent counts, whatever the query says.
 * - S3 ignores checksums and asks for checksums unless they are among the signed headers: the SDK for JavaScript puts the checksum
 *   of nothing into every URL for a PUT.
 * - Encryption that is not among the signed headers stays a parameter, which no operation takes: it is not known to S3's clients
 *   as working, and must not be ignored.
 */
export function splitQuery(parameters: URLSearchParams, signedHeaders: readonly string[], sent: IncomingHttpHeaders): SplitQuery {
  const query = new URLSearchParams();
  const headers = new Map<string, string>();
  let payloadHash: string | null = null;
  for (const [parameter, value] of parameters) {
    if (AUTHENTICATION.has(parameter)) continue;
    const name = parameter.toLowerCase();
    if (name === 'x-amz-content-sha256') payloadHash ??= value;
    if (!standsForHeader(name, signedHeaders)) query.append(parameter, value);
    else if (sent[name] === undefined && !(isChecksum(name) && !signedHeaders.includes(name))) headers.set(name, bytesOf(value));
  }
  return { query, headers, payloadHash };
}

/** What the query's signature covers. */
export function withoutSignature(rawQuery: string): string {
  return rawQuery
    .split('&')
    .filter((pair) => !SIGNATURE.test(pair))
    .join('&');
}

function standsForHeader(name: string, signedHeaders: readonly string[]): boolean {
  if (signedHeaders.includes(name) || CONDITIONS.includes(name)) return true;
  return name.startsWith('x-amz-') && !name.includes('server-side-encryption');
}

function isChecksum(name: string): boolean {
  return name.startsWith('x-amz-checksum-') || name === 'x-amz-sdk-checksum-algorithm';
}

/** As node:http gives headers: one character for each byte. */
function bytesOf(value: string): string {
  return Buffer.from(value).toString('latin1');
}
