/**
 * Why API Gateway does not believe a signature. AWS documents headers and the beginnings of messages, the rest is from answers of real APIs.
 * @see https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden
 */
import { hash } from 'node:crypto';
import { basicTime, type Time } from '../wire/sigv4.ts';
import type { Refusal } from './gateway-response.ts';

/** Narrower than S3's. */
const MAX_SKEW_MS = 5 * 60 * 1000;

/** The header is no `Authorization` of Signature Version 4. */
export function incomplete(header: string): Refusal {
  const parameters = header.slice(header.indexOf(' ') + 1).split(',');
  if (parameters.some((parameter) => !parameter.includes('='))) {
    const what = 'Invalid key=value pair (missing equal-sign) in Authorization header';
    return incompleteSignature(`${what} (hashed with SHA-256 and encoded with Base64): '${hashOf(header)}'.`);
  }
  const absent = ['Credential', 'Signature', 'SignedHeaders'].filter(
    (name) => !parameters.some((one) => one.trim().startsWith(`${name}=`)),
  );
  if (absent.length > 0) return without(header, ...absent.map((name) => `'${name}' parameter`));
  return incompleteSignature('Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.');
}

/** The header itself is a secret when it was meant for somebody else, so AWS names its hash. */
export function without(header: string, ...missing: string[]): Refusal {
  const reasons = missing.map((what) => `Authorization header requires ${what}. `).join('');
  return incompleteSignature(`${reasons}(Hashed with SHA-256 and encoded with Base64) Authorization=${hashOf(header)}`);
}

export function invalid(message: string): Refusal {
  return { type: 'INVALID_SIGNATURE', message, errorType: 'InvalidSignatureException' };
}

/** Nobody has the access key, or not with this token. */
export function unknownCaller(): Refusal {
  return { type: 'ACCESS_DENIED', message: 'The security token included in the request is invalid.' };
}

/**
 * `null`: the time is near enough. AWS's pages call an old signature an expired token; that it has the gateway response of one
 * is not written there.
 */
export function skewed({ text, epochMs }: Time, now: number): Refusal | null {
  if (epochMs < now - MAX_SKEW_MS) {
    const message = `Signature expired: ${text} is now earlier than ${basicTime(now - MAX_SKEW_MS)} (${basicTime(now)} - 5 min.)`;
    return { ...invalid(message), type: 'EXPIRED_TOKEN' };
  }
  if (epochMs <= now + MAX_SKEW_MS) return null;
  return invalid(`Signature not yet current: ${text} is still later than ${basicTime(now + MAX_SKEW_MS)} (${basicTime(now)} + 5 min.)`);
}

function incompleteSignature(message: string): Refusal {
  return { type: 'INVALID_SIGNATURE', message, errorType: 'IncompleteSignatureException' };
}

function hashOf(header: string): string {
  return hash('sha256', header, 'base64');
}
