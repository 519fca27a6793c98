/** From an HTTP request to a principal and a checked payload. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Principal } from '../service.ts';
import type { Credentials } from './credentials.ts';
import { bodyOf, bufferPayload, type Payload, streamPayload } from './payload.ts';
import type { Protocol } from './protocol.ts';
import { type Authorization, checkClaim, checkSignature } from './sigv4.ts';

const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** How a request says who sent it. */
export type Identification = { by: 'header'; header: string } | { by: 'query' } | { by: 'nothing' };

export interface Target {
  rawPath: string;
  rawQuery: string;
}

export function identificationOf(request: IncomingMessage, { rawQuery }: Target): Identification {
  if (request.headers.authorization !== undefined) return { by: 'header', header: request.headers.authorization };
  return /(?:^|&)(?:X-Amz-Signature|X-Amz-Algorithm|Signature)=/.test(rawQuery) ? { by: 'query' } : { by: 'nothing' };
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
): Payload & { principal: Principal } {
  const claim = checkClaim(request, authorization, 'rest-xml', credentials);
  const payloadHash = String(request.headers['x-amz-content-sha256'] ?? '');
  const { signedHeaders } = authorization;
  checkSignature(
    claim,
    { method: request.method ?? '', ...target, rawHeaders: request.rawHeaders, signedHeaders, payloadHash, s3: true },
    'rest-xml',
  );
  return { ...streamPayload(request, claim), principal: claim.credential.principal };
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
): Promise<Payload & { principal: Principal }> {
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
  return { body: bodyOf(bytes), trailers: {}, contentLength: bytes.length, principal: claim.credential.principal };
}

/** Where presigned URLs will be checked. */
export function authenticatePresigned(): never {
  throw new AwsError(501, 'NotImplemented', 'The sandbox does not implement presigned URLs.');
}
