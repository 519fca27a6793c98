/** REST API proxy events, parsed at the edge. */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';
import { keyProblem } from '../events/object-key.ts';
import { iamPrincipal } from '../policy/principal.ts';
import type { Identity } from './access.ts';

/** As the authorizer has it: how far the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE_SECONDS = 30;

const claimsSchema = z.record(z.string(), z.unknown());

const eventSchema = z.object({
  httpMethod: z.string(),
  body: z.nullish(z.string()),
  isBase64Encoded: z.nullish(z.boolean()),
  multiValueHeaders: z.nullish(z.record(z.string(), z.array(z.string()))),
  pathParameters: z.nullish(z.record(z.string(), z.string())),
  multiValueQueryStringParameters: z.nullish(z.record(z.string(), z.array(z.string()))),
  requestContext: z.object({
    // The gateway's other id is the client's to choose, and would make two reads one event: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    extendedRequestId: z.string().check(z.regex(/^[\x21-\x7e]{1,200}$/)),
    authorizer: z.nullish(z.object({ claims: z.optional(z.string()) })),
    // The gateway fills it in for methods that want IAM's signature, and for no others.
    identity: z.nullish(z.object({ userArn: z.nullish(z.string()), sourceIp: z.nullish(z.string()) })),
  }),
});

export interface Caller extends Identity {
  /** The token's `sub`, or the ARN of who signed. */
  subject: string;
}

export interface ApiRequest {
  method: string;
  /** Still percent-encoded, as the gateway hands them on. */
  pathParameters: Record<string, string>;
  query: Record<string, string>;
  /** By lower-case name, without Authorization; one that came several times is one list: https://www.rfc-editor.org/rfc/rfc9110#section-5.3 */
  headers: Record<string, string>;
  /** As text; `null`: none. */
  body: string | null;
  caller: Caller;
  requestId: string;
}

/**
 * @param allowedQuery the names that this route knows
 * @param now milliseconds
 * @throws SealdropError `invalid-request` (an unknown or repeated query parameter), `unauthenticated` (no claims, or expired ones)
 */
export function parseApiRequest(event: unknown, allowedQuery: readonly string[], now = Date.now()): ApiRequest {
  const { requestContext, ...open } = parseEvent(event);
  return { ...requestOf(open, requestContext.extendedRequestId, allowedQuery), caller: callerOf(requestContext, now) };
}

/**
 * Of a route that asks nobody who they are.
 * @throws SealdropError `invalid-request`
 */
export function parseOpenRequest(event: unknown, allowedQuery: readonly string[]): Omit<ApiRequest, 'caller'> & { sourceIp: string } {
  const { requestContext, ...open } = parseEvent(event);
  return { ...requestOf(open, requestContext.extendedRequestId, allowedQuery), sourceIp: requestContext.identity?.sourceIp ?? '' };
}

type ApiEvent = z.infer<typeof eventSchema>;

function parseEvent(event: unknown): ApiEvent {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) throw new SealdropError('invalid-request', 'the event is not one of a REST API proxy integration');
  return parsed.data;
}

function requestOf(
  event: Omit<ApiEvent, 'requestContext'>,
  requestId: string,
  allowedQuery: readonly string[],
): Omit<ApiRequest, 'caller'> {
  const { httpMethod, body, isBase64Encoded, multiValueHeaders, pathParameters, multiValueQueryStringParameters } = event;
  return {
    method: httpMethod,
    pathParameters: pathParameters ?? {},
    query: singleValues(multiValueQueryStringParameters ?? {}, allowedQuery),
    headers: joinedValues(multiValueHeaders ?? {}),
    body: typeof body === 'string' && isBase64Encoded === true ? Buffer.from(body, 'base64').toString() : (body ?? null),
    requestId,
  };
}

/** The object's key from `/objects/{key+}` (decoded here, exactly once) or from `/object?key=` (decoded by the gateway). */
export function requestedKey(request: ApiRequest): string {
  const encoded = request.pathParameters.key;
  if (encoded !== undefined && request.query.key !== undefined) {
    throw new SealdropError('invalid-request', 'one key at a time: either in the path or as ?key=');
  }
  const key = encoded === undefined ? request.query.key : decodeOnce(encoded);
  if (key === undefined || key === '') throw new SealdropError('invalid-request', 'no key: use /objects/KEY or /object?key=KEY');
  return possibleKey('key', key);
}

/** @throws SealdropError `invalid-request` for what no key can be, nor begin with */
export function possibleKey(name: string, key: string): string {
  const problem = keyProblem(key, name);
  if (problem !== null) throw new SealdropError('invalid-request', problem);
  return key;
}

/** @throws SealdropError `invalid-request` when it is no whole number within the bounds */
export function wholeNumber(name: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new SealdropError('invalid-request', `${name} must be a whole number from 1 to ${max}`);
  return value;
}

function singleValues(values: Record<string, string[]>, allowed: readonly string[]): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, all] of Object.entries(values)) {
    if (!allowed.includes(name)) {
      throw new SealdropError('invalid-request', `unknown query parameter "${name}"; known here: ${allowed.join(', ') || 'none'}`);
    }
    const [value, ...more] = all;
    if (value === undefined || more.length > 0) throw new SealdropError('invalid-request', `query parameter "${name}" must come once`);
    query[name] = value;
  }
  return query;
}

function joinedValues(values: Record<string, string[]>): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, all] of Object.entries(values)) {
    const lower = name.toLowerCase();
    // Whoever reads a header here knows the caller already: the token goes no further.
    if (lower === 'authorization') continue;
    headers[lower] = [...(headers[lower] === undefined ? [] : [headers[lower]]), ...all].join(', ');
  }
  return headers;
}

function callerOf({ authorizer, identity }: ApiEvent['requestContext'], now: number): Caller {
  const claimsJson = authorizer?.claims;
  const userArn = identity?.userArn ?? null;
  if (claimsJson === undefined && userArn !== null) return { subject: userArn, claims: {}, principal: iamPrincipal(userArn) };
  const claims = claimsJson === undefined ? null : claimsSchema.safeParse(parseJson(claimsJson));
  const subject = claims?.success ? claims.data.sub : undefined;
  if (!claims?.success || typeof subject !== 'string' || subject === '') {
    throw new SealdropError('unauthenticated', 'The request carries no verified claims');
  }
  const { exp } = claims.data;
  // The gateway keeps the authorizer's answer for minutes, whatever time the token has left.
  if (typeof exp !== 'number' || (exp + CLOCK_TOLERANCE_SECONDS) * 1000 < now) {
    throw new SealdropError('unauthenticated', 'The token has expired');
  }
  return { subject, claims: claims.data, principal: null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function decodeOnce(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    throw new SealdropError('invalid-request', 'the key in the path is not percent-encoded UTF-8; use /object?key=', { cause: error });
  }
}
