/**
 * Signature Version 4 in the `Authorization` header, as API Gateway checks it for its own service.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { parseAuthorization } from '../wire/authorization-header.ts';
import type { Credential, Credentials } from '../wire/credentials.ts';
import { type Authorization, basicTime, type Claim, checkSignature, claimOf, parseTime, sameSignature, type Time } from '../wire/sigv4.ts';
import type { ReadBody } from './body.ts';
import type { Refusal } from './gateway-response.ts';
import { incomplete, invalid, skewed, unknownCaller, without } from './signature-refusals.ts';

const SERVICE = 'execute-api';
const SIGNED_QUERY = /(?:^|&)X-Amz-(?:Algorithm|Signature)=/;

export type Authentication = { credential: Credential } | { refusal: Refusal } | { unsupported: string };

/** Who signed the request. @param now milliseconds since the epoch */
export async function authenticate(
  message: IncomingMessage,
  readBody: ReadBody,
  credentials: Credentials,
  now: number,
): Promise<Authentication> {
  const header = message.headers.authorization;
  const [rawPath = '', rawQuery = ''] = splitUrl(message.url ?? '/');
  if (header === undefined) {
    if (SIGNED_QUERY.test(rawQuery)) return { unsupported: 'The sandbox does not implement signatures in the query of the REST API.' };
    return { refusal: { type: 'MISSING_AUTHENTICATION_TOKEN' } };
  }
  if (header.startsWith('AWS4-ECDSA')) return { unsupported: 'The sandbox does not implement Signature Version 4A.' };
  const authorization = readHeader(header);
  if (authorization === null) return { refusal: incomplete(header) };
  const claim = checkHead(message, header, authorization, credentials, now);
  if ('type' in claim) return { refusal: claim };
  const body = await readBody();
  if (body === 'too-large') return { refusal: { type: 'REQUEST_TOO_LARGE' } };
  const { rawHeaders, method = 'GET' } = message;
  const { signedHeaders } = authorization;
  // Of the bytes, whatever `x-amz-content-sha256` says: unlike S3, API Gateway was not seen to take UNSIGNED-PAYLOAD.
  const payloadHash = hash('sha256', body);
  const signed = isSigned(claim, { method, rawPath, rawQuery, rawHeaders, signedHeaders, payloadHash, s3: false });
  return signed ? { credential: claim.credential } : { refusal: { type: 'INVALID_SIGNATURE' } };
}

/** All that can be judged before the body is read. Headers `x-amz-…` may be unsigned: only S3 asks for each of them. */
function checkHead(
  message: IncomingMessage,
  header: string,
  authorization: Authorization,
  credentials: Credentials,
  now: number,
): Claim | Refusal {
  const { date, region, service, signedHeaders } = authorization;
  const time = timeOf(message);
  if (time === null) return without(header, "existence of either a 'X-Amz-Date' or a 'Date' header");
  if (service !== SERVICE) return invalid(`Credential should be scoped to correct service: '${SERVICE}'. `);
  if (region !== REGION) return invalid(`Credential should be scoped to a valid region, not '${region}'. `);
  const day = time.text.slice(0, 8);
  if (day !== date) {
    const difference = `'${date}' != '${day}', from '${time.text}'`;
    return invalid(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ${difference}.`);
  }
  const late = skewed(time, now);
  if (late !== null) return late;
  if (!signedHeaders.includes('host')) return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  const credential = credentials.find(authorization.accessKeyId);
  if (credential === null || !hasToken(credential, message.headers['x-amz-security-token'])) return unknownCaller();
  return claimOf(authorization, credential, time);
}

function hasToken({ sessionToken }: Credential, token: string | string[] | undefined): boolean {
  if (sessionToken === null) return token === undefined;
  return typeof token === 'string' && sameSignature(sessionToken, token);
}

function isSigned(claim: Claim, input: Parameters<typeof checkSignature>[1]): boolean {
  try {
    checkSignature(claim, input, 'rest-json');
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

/** `null`: it is no `Authorization` of Signature Version 4. */
function readHeader(header: string): Authorization | null {
  try {
    return parseAuthorization(header);
  } catch (error) {
    if (error instanceof AwsError) return null;
    throw error;
  }
}

function timeOf({ headers }: IncomingMessage): Time | null {
  const text = headers['x-amz-date'] ?? headers.date ?? '';
  const time = parseTime(String(text));
  if (time !== null) return time;
  const epochMs = Date.parse(String(text));
  return Number.isNaN(epochMs) ? null : { text: basicTime(epochMs), epochMs };
}

function splitUrl(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
