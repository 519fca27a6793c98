/** What both ways of Signature Version 4 have in common: the `Authorization` header and the query. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type CanonicalInput, canonicalRequest } from './canonical-request.ts';
import type { Credential } from './credentials.ts';
import type { Protocol } from './protocol.ts';
import { refuse } from './signature-errors.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
const BASIC_TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
/** One scope per service and day is in use; the bound keeps a server that runs for months from collecting old days. */
const MAX_CACHED_SCOPES = 32;

/** Whose key it is, and what it was derived for. */
export interface Scope {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  /** `date/region/service/aws4_request` */
  scope: string;
}

/** What the client claims, not yet believed. */
export interface Authorization extends Scope {
  signedHeaders: string[];
  signature: string;
}

export interface Time {
  /** ISO 8601 basic format. */
  text: string;
  epochMs: number;
}

/** A claim whose key, token, scope and time hold; its signature is yet to be compared. */
export interface Claim {
  authorization: Authorization;
  credential: Credential;
  time: Time;
  signingKey: Buffer;
}

/** Reads `KEY/YYYYMMDD/REGION/SERVICE/aws4_request`; `null` for anything else. */
export function parseCredential(text: string): Scope | null {
  const [accessKeyId, date, region, service, terminator, more] = text.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || more !== undefined) return null;
  return { accessKeyId, date, region, service, scope: text.slice(accessKeyId.length + 1) };
}

/** Reads ISO 8601 basic format; `null` for anything else. */
export function parseTime(text: string): Time | null {
  const parts = BASIC_TIME.exec(text);
  if (!parts) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return { text, epochMs: Date.UTC(year, month - 1, day, hour, minute, second) };
}

export function basicTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Throws AwsError unless the token is the credential's, or neither has one. */
export function checkToken(credential: Credential, token: string | null, protocol: Protocol): void {
  if (token === null && credential.sessionToken === null) return;
  if (token !== null && credential.sessionToken !== null && sameSignature(credential.sessionToken, token)) return;
  // A temporary access key id without its token is unknown to AWS.
  throw refuse(protocol, token === null ? { kind: 'unknown-key', accessKeyId: credential.accessKeyId } : { kind: 'wrong-token' });
}

export function claimOf(authorization: Authorization, credential: Credential, time: Time): Claim {
  return { authorization, credential, time, signingKey: signingKey(credential, authorization) };
}

/** Compares in constant time; throws AwsError (`SignatureDoesNotMatch` or the protocol's word for it). */
export function checkSignature({ authorization, time, signingKey }: Claim, input: CanonicalInput, protocol: Protocol): void {
  const { accessKeyId, scope, signature } = authorization;
  const stringToSign = `${ALGORITHM}\n${time.text}\n${scope}\n${hash('sha256', Buffer.from(canonicalRequest(input), 'latin1'), 'hex')}`;
  if (!sameSignature(sign(signingKey, stringToSign), signature))
    throw refuse(protocol, { kind: 'mismatch', accessKeyId, stringToSign, signature });
}

export function sign(key: Buffer, stringToSign: string): string {
  return createHmac('sha256', key).update(stringToSign).digest('hex');
}

export function sameSignature(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const signingKeys = new WeakMap<Credential, Map<string, Buffer>>();

/** Four HMACs that stay the same for a day, so they are derived once. */
function signingKey(credential: Credential, { date, region, service, scope }: Scope): Buffer {
  const cache = signingKeys.get(credential) ?? new Map<string, Buffer>();
  const cached = cache.get(scope);
  if (cached) return cached;
  let key: Buffer = Buffer.from(`AWS4${credential.secretAccessKey}`);
  for (const part of [date, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  if (cache.size >= MAX_CACHED_SCOPES) cache.clear();
  signingKeys.set(credential, cache.set(scope, key));
  return key;
}
