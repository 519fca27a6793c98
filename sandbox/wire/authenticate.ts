/** From an HTTP request to a principal and a checked payload. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Principal, Signature } from '../service.ts';
import { checkClaim } from './authorization-header.ts';
import { checkPresigned, parsePresigned } from './authorization-query.ts';
import type { Credentials } from './credentials.ts';
import { bodyOf, bufferPayload, type Payload, streamPayload } from './payload.ts';
import { splitQuery, withoutSignature } from './presigned-headers.ts';
import type { Protocol } from './protocol.ts';
import { type Authorization, type Claim, checkSignature } from './sigv4.ts';

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const VERSION_4 = /(?:^|&)X-Amz-(?:Algorithm|Signature)=/;
const VERSION_2 = /(?:^|&)Signature=/;

/** How a request says who sent it. */
export type Identification = { by: 'header'; header: string } | { by: 'query'; version: 2 | 4 } | { by: 'both' } | { by: 'nothing' };

export interface Target {
  rawPath: string;
  rawQuery: string;
}

/** A request whose signature holds. */
export interface Authenticated extends Payload {
  principal: Principal;
  signature: Signature;
  /** Without what only says who signed. */
  query: URLSearchParams;
}

export function identificationOf(request: IncomingMessage, { rawQuery }: Target): Identification {
  const version = VERSION_4.test(rawQuery) ? 4 : VERSION_2.test(rawQuery) ? 2 : null;
  const { authorization } = request.headers;
  if (authorization !== undefined) return version === null ? { by: 'header', header: authorization } : { by: 'both' };
  return version === null ? { by: 'nothing' } : { by: 'query', version };
}

/**
 * Checks the signature of an S3 request, whose payload is checked as it streams.
 * Throws AwsError in S3's words.
 */
export function authenticateS3(
  request: IncomingMessage,
  target: Target,
  authorization: Authorization,
  credentials: Credentials,
): Authenticated {
  const claim = checkClaim(request, authorization, 'rest-xml', credentials);
  const payloadHash = String(request.headers['x-amz-content-sha256'] ?? '');
  const { signedHeaders } = authorization;
  checkSignature(
    claim,
    { method: request.method ?? '', ...target, rawHeaders: request.rawHeaders, signedHeaders, payloadHash, s3: true },
    'rest-xml',
  );
  return { ...streamPayload(request, claim), ...sender(claim, 'header'), query: new URLSearchParams(target.rawQuery) };
}

/**
 * Checks the signature of a request to any other service: its body is read first, since its hash is part of what was signed.
 * @param beforeBody called once the claim holds and before the body is waited for
 * Throws AwsError in the protocol's words.
 */
export async function authenticateService(
  request: IncomingMessage,
  target: Target,
  authorization: Authorization,
  credentials: Credentials,
  protocol: Protocol,
  beforeBody: () => void,
): Promise<Authenticated> {
  const claim = checkClaim(request, authorization, protocol, credentials);
  beforeBody();
  const bytes = await bufferPayload(request);
  const declared = request.headers['x-amz-content-sha256'];
  const payloadHash = declared === UNSIGNED ? UNSIGNED : hash('sha256', bytes);
  const { signedHeaders } = authorization;
  checkSignature(
    claim,
    { method: request.method ?? '', ...target, rawHeaders: request.rawHeaders, signedHeaders, payloadHash, s3: false },
    protocol,
  );
  const payload = { body: bodyOf(bytes), trailers: {}, contentLength: bytes.length };
  return { ...payload, ...sender(claim, 'header'), query: new URLSearchParams(target.rawQuery) };
}

/**
 * Checks a presigned URL of S3. What its query says in place of headers is among the request's headers afterwards, and the payload is
 * whatever is sent, unless URL or header promise a hash of it.
 * Throws AwsError in S3's words, 501 for URLs of any other service.
 */
export function authenticatePresigned(request: IncomingMessage, target: Target, credentials: Credentials): Authenticated {
  const parameters = new URLSearchParams(target.rawQuery);
  const presigned = parsePresigned(parameters);
  const claim = checkPresigned(presigned, request.headers, credentials);
  const { signedHeaders } = presigned.authorization;
  const { query, headers, payloadHash } = splitQuery(parameters, signedHeaders, request.headers);
  const signedHash = signedHeaders.includes('x-amz-content-sha256') ? String(request.headers['x-amz-content-sha256'] ?? '') : UNSIGNED;
  checkSignature(
    claim,
    {
      method: request.method ?? '',
      rawPath: target.rawPath,
      rawQuery: withoutSignature(target.rawQuery),
      rawHeaders: [...request.rawHeaders, ...[...headers].flat()],
      signedHeaders,
      payloadHash: payloadHash ?? signedHash,
      s3: true,
    },
    'rest-xml',
  );
  for (const [name, value] of headers) request.headers[name] = value;
  request.headers['x-amz-content-sha256'] ??= UNSIGNED;
  if (String(request.headers['x-amz-content-sha256']).startsWith('STREAMING-')) {
    throw new AwsError(501, 'NotImplemented', 'The sandbox does not implement payloads in chunks for presigned URLs.');
  }
  return { ...streamPayload(request, claim), ...sender(claim, 'query'), query };
}

function sender({ credential, time }: Claim, by: Signature['by']): { principal: Principal; signature: Signature } {
  return { principal: credential.principal, signature: { by, signedAt: time.epochMs } };
}
