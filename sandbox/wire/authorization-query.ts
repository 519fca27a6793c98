/**
 * Signature Version 4 in the query: presigned URLs, which S3 alone takes here.
 *
 * What it does not do (2026-11-30): Signature Version 4A, payloads in chunks (`STREAMING-…`). Unverified: which of several faults
 * S3 names first, and that it calls a URL of zero seconds expired.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import type { IncomingHttpHeaders } from 'node:http';
import { REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Credentials } from './credentials.ts';
import * as refusal from './presigned-errors.ts';
import { MAX_SKEW_MS, refuse } from './signature-errors.ts';
import { ALGORITHM, type Authorization, type Claim, checkToken, claimOf, parseCredential, parseTime, type Time } from './sigv4.ts';

/** Seven days: no signing key is good for longer. */
const MAX_EXPIRES_SECONDS = 604_800;
/**
 * S3 was seen to let it pass, as whoever presigns does not know the bytes.
 * @see https://github.com/localstack/localstack/blob/main/tests/aws/services/s3/test_s3.snapshot.json (test_put_object_with_md5_and_chunk_signature_bad_headers)
 */
const MAY_BE_UNSIGNED = 'x-amz-content-sha256';

/** What a presigned URL claims, not yet believed. */
export interface Presigned {
  authorization: Authorization;
  time: Time;
  /** Seconds from `time` on. */
  expires: number;
  /** `null`: the credential claims to be a long-term one. */
  token: string | null;
}

/** Throws AwsError: 400 for what is missing or cannot be read, 501 for what the sandbox lacks. */
export function parsePresigned(query: URLSearchParams): Presigned {
  const algorithm = query.get('X-Amz-Algorithm');
  const credential = query.get('X-Amz-Credential');
  const date = query.get('X-Amz-Date');
  const expires = query.get('X-Amz-Expires');
  const signedHeaders = query.get('X-Amz-SignedHeaders');
  const signature = query.get('X-Amz-Signature');
  if (algorithm === null || credential === null || date === null || expires === null || signedHeaders === null || signature === null) {
    throw refusal.missingParameters();
  }
  if (algorithm.startsWith('AWS4-ECDSA')) throw notImplemented('Signature Version 4A');
  if (algorithm !== ALGORITHM) throw refusal.unknownAlgorithm();
  const scope = parseCredential(credential);
  if (!scope) throw refusal.malformedCredential();
  if (scope.service !== 's3') throw notImplemented(`presigned URLs of the service ${scope.service}`);
  const time = parseTime(date);
  if (!time) throw refusal.malformedDate();
  return {
    authorization: { ...scope, signedHeaders: signedHeaders.split(';'), signature },
    time,
    expires: parseExpires(expires),
    token: query.get('X-Amz-Security-Token'),
  };
}

/** Everything about the URL but its signature. Throws AwsError in S3's words. */
export function checkPresigned(presigned: Presigned, headers: IncomingHttpHeaders, credentials: Credentials): Claim {
  const { authorization, time, expires, token } = presigned;
  const { accessKeyId, date, region, signedHeaders } = authorization;
  if (region !== REGION) throw refusal.wrongRegion(region, REGION);
  if (time.text.slice(0, 8) !== date) throw refusal.otherDate(date, time);
  const now = Date.now();
  const until = time.epochMs + expires * 1000;
  if (time.epochMs - now > MAX_SKEW_MS) throw refusal.notYetValid(time, until, now);
  // The tolerance of clocks lengthens no life.
  if (now > until || expires === 0) throw refusal.expired(expires, until, now);
  const credential = credentials.find(accessKeyId);
  if (!credential) throw refuse('rest-xml', { kind: 'unknown-key', accessKeyId });
  checkToken(credential, token, 'rest-xml');
  const names = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-') && name !== MAY_BE_UNSIGNED)];
  const unsigned = names.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) throw refuse('rest-xml', { kind: 'unsigned-headers', names: unsigned });
  return claimOf(authorization, credential, time);
}

function parseExpires(text: string): number {
  if (!/^-?\d+$/.test(text)) throw refusal.expiresIsNoNumber();
  const seconds = Number(text);
  if (seconds < 0) throw refusal.expiresIsNegative();
  if (seconds > MAX_EXPIRES_SECONDS) throw refusal.expiresIsTooLate(MAX_EXPIRES_SECONDS);
  return seconds;
}

function notImplemented(what: string): AwsError {
  return new AwsError(501, 'NotImplemented', `The sandbox does not implement ${what}.`);
}
