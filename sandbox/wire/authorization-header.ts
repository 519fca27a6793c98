/**
 * Signature Version 4 in the `Authorization` header.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 */
import type { IncomingMessage } from 'node:http';
import { REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Credentials } from './credentials.ts';
import type { Protocol } from './protocol.ts';
import { MAX_SKEW_MS, refuse, unsupportedMechanism } from './signature-errors.ts';
import {
  ALGORITHM,
  type Authorization,
  basicTime,
  type Claim,
  checkToken,
  claimOf,
  parseCredential,
  parseTime,
  type Time,
} from './sigv4.ts';

const AUTHORIZATION = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)\s*$/;

/** Reads the header. Throws AwsError in S3's words when it is no SigV4: no other protocol can be known yet. */
export function parseAuthorization(header: string): Authorization {
  if (header.startsWith('AWS4-ECDSA')) throw new AwsError(501, 'NotImplemented', 'The sandbox does not implement Signature Version 4A.');
  if (!header.startsWith(ALGORITHM)) throw unsupportedMechanism();
  const [, scopeText, signedHeaders, signature] = AUTHORIZATION.exec(header) ?? [];
  if (!scopeText || !signedHeaders || !signature) {
    throw refuse('rest-xml', { kind: 'malformed', reason: 'the header must hold Credential, SignedHeaders and Signature' });
  }
  const scope = parseCredential(scopeText);
  if (scope === null) {
    throw refuse('rest-xml', {
      kind: 'malformed',
      reason: 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    });
  }
  return { ...scope, signedHeaders: signedHeaders.split(';'), signature };
}

/** Everything about the claim that can be judged before the body is read. Throws AwsError in the protocol's words. */
export function checkClaim(request: IncomingMessage, authorization: Authorization, protocol: Protocol, credentials: Credentials): Claim {
  const { accessKeyId, date, region, signedHeaders } = authorization;
  const credential = credentials.find(accessKeyId);
  if (!credential) throw refuse(protocol, { kind: 'unknown-key', accessKeyId });
  if (region !== REGION) throw refuse(protocol, { kind: 'wrong-region', region, expected: REGION });
  const time = requestTime(request);
  if (!time || time.text.slice(0, 8) !== date) {
    throw refuse(protocol, {
      kind: 'malformed',
      reason: `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}'.`,
    });
  }
  const now = Date.now();
  if (Math.abs(now - time.epochMs) > MAX_SKEW_MS) {
    throw refuse(protocol, { kind: 'skewed', requestTime: time.text, serverTime: basicTime(now), early: time.epochMs > now });
  }
  const token = request.headers['x-amz-security-token'];
  checkToken(credential, token === undefined ? null : String(token), protocol);
  if (!signedHeaders.includes('host'))
    throw refuse(protocol, { kind: 'malformed', reason: "'Host' must be a 'SignedHeader' in the AWS Authorization." });
  const unsigned = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-') && !signedHeaders.includes(name));
  if (unsigned.length > 0) throw refuse(protocol, { kind: 'unsigned-headers', names: unsigned });
  return claimOf(authorization, credential, time);
}

function requestTime({ headers }: IncomingMessage): Time | null {
  const header = headers['x-amz-date'] ?? headers.date;
  if (typeof header !== 'string') return null;
  const time = parseTime(header);
  if (time) return time;
  const epochMs = Date.parse(header);
  return Number.isNaN(epochMs) ? null : { text: basicTime(epochMs), epochMs };
}
