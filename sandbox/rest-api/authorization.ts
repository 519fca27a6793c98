/** Who calls a method, and whether they may, by the method's kind of authorization. */
import type { IncomingMessage } from 'node:http';
import type { Judge } from '../iam/judge.ts';
import { refusalSentence } from '../iam/refusal.ts';
import type { Functions } from '../lambda/index.ts';
import type { Principal } from '../service.ts';
import type { Credentials } from '../wire/credentials.ts';
import { createAuthorize } from './authorizer.ts';
import type { ReadBody } from './body.ts';
import type { Caller, RouteMatch } from './event.ts';
import type { Refusal } from './gateway-response.ts';
import type { Api } from './model.ts';
import { type GatewayRequest, methodArn } from './request.ts';
import { authenticate } from './signature.ts';

/** `unsupported`: what AWS has and the sandbox has not. */
export type Allowed = { caller: Caller } | { refusal: Refusal } | { unsupported: string };

/** Decides on one request. Never rejects, but for a client that hangs up. */
export type AuthorizeMethod = (exchange: {
  message: IncomingMessage;
  request: GatewayRequest;
  route: RouteMatch;
  readBody: ReadBody;
}) => Promise<Allowed>;

export interface AuthorizationOptions {
  functions: Functions;
  credentials: Credentials;
  judge: Judge;
  /** Milliseconds since the epoch. */
  now: () => number;
}

export function createAuthorization(api: Api, { functions, credentials, judge, now }: AuthorizationOptions): AuthorizeMethod {
  const authorize = createAuthorize(api, functions);

  return async ({ message, request, route, readBody }) => {
    const { authorization } = route.method;
    switch (authorization.type) {
      case 'NONE':
        return { caller: { by: 'nobody' } };
      case 'CUSTOM': {
        const outcome = await authorize(authorization.authorizer, request, route);
        return outcome.allowed ? { caller: { by: 'authorizer', context: outcome.context } } : { refusal: outcome.refusal };
      }
      case 'AWS_IAM': {
        const authentication = await authenticate(message, readBody, credentials, now());
        if (!('credential' in authentication)) return authentication;
        const { principal } = authentication.credential;
        const refusal = judgeInvocation(judge, principal, message, methodArn(api, request));
        return refusal === null ? { caller: { by: 'iam', principal } } : { refusal };
      }
      default:
        return authorization satisfies never;
    }
  };
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html */
function judgeInvocation(judge: Judge, principal: Principal, { headers }: IncomingMessage, arn: string): Refusal | null {
  const context = { 'aws:SecureTransport': String(headers['x-sandbox-insecure'] !== '1') };
  const request = { principal, action: 'execute-api:Invoke', resource: arn, context, resourcePolicy: null };
  const decision = judge.decide(request);
  if (decision.allowed) return null;
  return {
    type: 'ACCESS_DENIED',
    message: refusalSentence(request, decision, `on resource: ${masked(arn)}`),
    // With a capital, unlike any other answer of the gateway's: callers of real APIs have seen it so.
    templates: { 'application/json': '{"Message":$context.error.messageString}' },
  };
}

/** `arn:aws:execute-api:us-east-1:********0000:…`: callers of other accounts are not told whose API it is. */
function masked(arn: string): string {
  return arn.replace(/^((?:[^:]*:){4})\d{8}/, '$1********');
}
