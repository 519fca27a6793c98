/** Custom authorizers: a function that says who calls and what they may invoke, cached by what identifies the caller. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Functions } from '../lambda/index.ts';
import { type AuthorizerContext, createRequestEvent, type RouteMatch } from './event.ts';
import type { Refusal } from './gateway-response.ts';
import { authorizerSource, mayInvoke } from './invocable.ts';
import { decide, type InvokePolicy, invokePolicy } from './invoke-policy.ts';
import type { Api, Authorizer } from './model.ts';
import { type GatewayRequest, headerOf, methodArn } from './request.ts';

/** Entries kept; the oldest go first. */
const CACHE_SIZE = 10_000;

const answerSchema = z.object({
  principalId: z.string(),
  policyDocument: invokePolicy,
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  usageIdentifierKey: z.string().optional(),
});

interface Verdict {
  policy: InvokePolicy;
  context: AuthorizerContext;
}

export type AuthorizerOutcome = { allowed: true; context: AuthorizerContext } | { allowed: false; refusal: Refusal };

/** Decides on one request. Never rejects. */
export type Authorize = (authorizer: Authorizer, request: GatewayRequest, route: RouteMatch) => Promise<AuthorizerOutcome>;

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html */
export function createAuthorize(api: Api, functions: Functions): Authorize {
  const cache = new Map<string, { verdict: Verdict; expires: number }>();

  return async (authorizer, request, route) => {
    const identity = authorizer.identitySources.map((source) => identityOf(source, request));
    if (identity.some((value) => value === undefined || value === '')) return refuse({ type: 'UNAUTHORIZED' });
    if (authorizer.kind === 'TOKEN' && authorizer.validation?.test(identity[0] ?? '') === false) return refuse({ type: 'UNAUTHORIZED' });
    const key = cacheKey(authorizer, identity);
    const verdict = recall(key) ?? (await ask(authorizer, request, route, identity[0] ?? ''));
    if ('type' in verdict) return refuse(verdict);
    if (authorizer.ttlSeconds > 0) remember(key, verdict, authorizer.ttlSeconds);
    return judge(verdict, methodArn(api, request));
  };

  async function ask(authorizer: Authorizer, request: GatewayRequest, route: RouteMatch, token: string): Promise<Verdict | Refusal> {
    if (!mayInvoke(functions, authorizer.functionArn, authorizerSource(api, authorizer.id))) {
      return { type: 'AUTHORIZER_CONFIGURATION_ERROR' };
    }
    const arn = methodArn(api, request);
    const event =
      authorizer.kind === 'TOKEN'
        ? { type: 'TOKEN', methodArn: arn, authorizationToken: token }
        : { type: 'REQUEST', methodArn: arn, ...createRequestEvent(api, request, route, { by: 'nobody' }) };
    const { functionError, payload } = await functions.invoke(authorizer.functionArn, JSON.stringify(event));
    const answer: unknown = JSON.parse(payload.toString('utf8'));
    if (functionError !== null) return saysUnauthorized(answer) ? { type: 'UNAUTHORIZED' } : { type: 'AUTHORIZER_FAILURE' };
    const parsed = answerSchema.safeParse(answer);
    if (!parsed.success) return { type: 'AUTHORIZER_CONFIGURATION_ERROR' };
    const context = Object.entries(parsed.data.context ?? {}).filter(([, value]) => value !== null);
    // Functions behind the gateway get every value as text.
    const texts = context.map(([name, value]) => [name, String(value)]);
    return { policy: parsed.data.policyDocument, context: { ...Object.fromEntries(texts), principalId: parsed.data.principalId } };
  }

  function recall(key: string): Verdict | null {
    const entry = cache.get(key);
    if (entry === undefined) return null;
    if (entry.expires > Date.now()) return entry.verdict;
    cache.delete(key);
    return null;
  }

  function remember(key: string, verdict: Verdict, ttlSeconds: number): void {
    if (cache.has(key)) return;
    const oldest = cache.size >= CACHE_SIZE ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(key, { verdict, expires: Date.now() + ttlSeconds * 1000 });
  }
}

function judge({ policy, context }: Verdict, arn: string): AuthorizerOutcome {
  const decision = decide(policy, arn);
  switch (decision) {
    case 'allow':
      return { allowed: true, context: { ...context, integrationLatency: 0 } };
    case 'explicit-deny':
      return refuse({ type: 'ACCESS_DENIED', message: 'User is not authorized to access this resource with an explicit deny' });
    case 'implicit-deny':
      return refuse({ type: 'ACCESS_DENIED' });
    default:
      return decision satisfies never;
  }
}

function refuse(refusal: Refusal): AuthorizerOutcome {
  return { allowed: false, refusal };
}

/** A function that throws exactly `Unauthorized` refuses; anything else that it throws is its own failure. */
function saysUnauthorized(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'errorMessage' in answer && answer.errorMessage === 'Unauthorized';
}

/** Tokens are kept as hashes only. */
function cacheKey(authorizer: Authorizer, identity: readonly (string | undefined)[]): string {
  return createHash('sha256')
    .update(JSON.stringify([authorizer.id, identity]))
    .digest('base64');
}

function identityOf(source: string, request: GatewayRequest): string | undefined {
  const header = /^method\.request\.header\.(.+)$/.exec(source)?.[1];
  if (header !== undefined) return headerOf(request, header);
  const parameter = /^method\.request\.(?:multivalue)?querystring\.(.+)$/.exec(source)?.[1];
  if (parameter !== undefined) return request.query[parameter]?.join(',');
  if (source === 'context.httpMethod') return request.httpMethod;
  if (source === 'context.path') return request.path;
  if (source === 'context.identity.sourceIp') return request.sourceIp;
  return undefined;
}
