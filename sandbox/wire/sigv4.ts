/** Signature Version 4 in the `Authorization` header. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { type CanonicalInput, canonicalRequest } from './canonical-request.ts';
import type { Credential, Credentials } from './credentials.ts';
import type { Protocol } from './protocol.ts';
import { MAX_SKEW_MS, refuse } from './signature-errors.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const AUTHORIZATION = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)\s*$/;
const BASIC_TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
/** One scope per service and day is in use; the bound keeps a server that runs for months from collecting old days. */
const MAX_CACHED_SCOPES = 32;

/** What the client claims, not yet believed. */
export interface Authorization {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  /** `date/region/service/aws4_request` */
  scope: string;
  signedHeaders: string[];
  signature: string;
}

/** A claim whose key, token, scope and time hold; its signature is yet to be compared. */
export interface Claim {
  authorization: Authorization;
  credential: Credential;
  /** ISO 8601 basic format. */
  time: string;
  signingKey: Buffer;
}

/** Reads the header. Throws AwsError in S3's words when it is no SigV4: no other protocol can be known yet. */
export function parseAuthorization(header: string): Authorization {
  if (header.startsWith('AWS4-ECDSA')) throw new AwsError(501, 'NotImplemented', 'The sandbox does not implement Signature Version 4A.');
  if (!header.startsWith(ALGORITHM)) {
    throw new AwsError(400, 'InvalidRequest', `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`);
  }
  const [, scopeText, signedHeaders, signature] = AUTHORIZATION.exec(header) ?? [];
  if (!scopeText || !signedHeaders || !signature) {
    throw refuse('rest-xml', { kind: 'malformed', reason: 'the header must hold Credential, SignedHeaders and Signature' });
  }
  const [accessKeyId, date, region, service, terminator, more] = scopeText.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || more !== undefined) {
    throw refuse('rest-xml', {
      kind: 'malformed',
      reason: 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    });
  }
  return {
    accessKeyId,
    date,
    region,
    service,
    scope: scopeText.slice(accessKeyId.length + 1),
    signedHeaders: signedHeaders.split(';'),
    signature,
  };
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
  checkToken(request, credential, protocol);
  if (!signedHeaders.includes('host'))
    throw refuse(protocol, { kind: 'malformed', reason: "'Host' must be a 'SignedHeader' in the AWS Authorization." });
  const unsigned = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-') && !signedHeaders.includes(name));
  if (unsigned.length > 0) throw refuse(protocol, { kind: 'unsigned-headers', names: unsigned });
  return { authorization, credential, time: time.text, signingKey: signingKey(credential, authorization) };
}

/** Compares in constant time; throws AwsError (`SignatureDoesNotMatch` or the protocol's word for it). */
export function checkSignature(claim: Claim, input: CanonicalInput, protocol: Protocol): void {
  const { authorization, time } = claim;
  const stringToSign = `${ALGORITHM}\n${time}\n${authorization.scope}\n${hash('sha256', Buffer.from(canonicalRequest(input), 'latin1'), 'hex')}`;
  if (!sameSignature(sign(claim.signingKey, stringToSign), authorization.signature)) {
    throw refuse(protocol, { kind: 'mismatch', accessKeyId: authorization.accessKeyId, stringToSign, signature: authorization.signature });
  }
}

export function sign(key: Buffer, stringToSign: string): string {
  return createHmac('sha256', key).update(stringToSign).digest('hex');
}

export function sameSignature(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function checkToken(request: IncomingMessage, credential: Credential, protocol: Protocol): void {
  const token = request.headers['x-amz-security-token'];
  if (token === undefined && credential.sessionToken === null) return;
  if (typeof token === 'string' && credential.sessionToken !== null && sameSignature(credential.sessionToken, token)) return;
  // A temporary access key id without its token is unknown to AWS.
  throw refuse(protocol, token === undefined ? { kind: 'unknown-key', accessKeyId: credential.accessKeyId } : { kind: 'wrong-token' });
}

function requestTime(request: IncomingMessage): { text: string; epochMs: number } | null {
  const header = request.headers['x-amz-date'] ?? request.headers.date;
  if (typeof header !== 'string') return null;
  const parts = BASIC_TIME.exec(header);
  if (parts) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
    return { text: header, epochMs: Date.UTC(year, month - 1, day, hour, minute, second) };
  }
  const epochMs = Date.parse(header);
  return Number.isNaN(epochMs) ? null : { text: basicTime(epochMs), epochMs };
}

function basicTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

const signingKeys = new WeakMap<Credential, Map<string, Buffer>>();

/** Four HMACs that stay the same for a day, so they are derived once. */
function signingKey(credential: Credential, { date, region, service, scope }: Authorization): Buffer {
  const cache = signingKeys.get(credential) ?? new Map<string, Buffer>();
  const cached = cache.get(scope);
  if (cached) return cached;
  let key: Buffer = Buffer.from(`AWS4${credential.secretAccessKey}`);
  for (const part of [date, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  if (cache.size >= MAX_CACHED_SCOPES) cache.clear();
  signingKeys.set(credential, cache.set(scope, key));
  return key;
}
