/** The API's authorizer: a verified token may call the stage, and its claims go to the function that decides. */
import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import * as z from 'zod/mini';
import { type Authenticate, createAuthenticate } from '../src/authenticate.ts';
import { asSealdropError } from '../src/errors.ts';
import { createLog, type Log } from '../src/observability.ts';
import * as runtime from '../src/runtime.ts';

const eventSchema = z.object({
  methodArn: z.string(),
  headers: z.nullish(z.record(z.string(), z.string())),
  requestContext: z.optional(z.object({ extendedRequestId: z.optional(z.string()) })),
});

/** What the gateway answers with 401: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html */
const UNAUTHORIZED = 'Unauthorized';

export const createHandler =
  (deps: () => { authenticate: Authenticate; log: Log }) =>
  async (event: unknown): Promise<APIGatewayAuthorizerResult> => {
    const { methodArn, headers, requestContext } = eventSchema.parse(event);
    const { authenticate, log } = deps();
    const authorization = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    const claims = await authenticate(authorization).catch((error: unknown) => {
      const { code, message, nextStep } = asSealdropError(error);
      if (code === 'unauthenticated') throw new Error(UNAUTHORIZED, { cause: error });
      log.error('callers cannot be authenticated', { code, cause: message, nextStep, correlationId: requestContext?.extendedRequestId });
      throw error;
    });
    return {
      principalId: String(claims.sub),
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: wholeStage(methodArn) }],
      },
      context: { claims: JSON.stringify(claims) },
    };
  };

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment('OIDC_ISSUER', 'OIDC_AUDIENCE');
    return {
      authenticate: createAuthenticate({ issuer: env.OIDC_ISSUER, audience: env.OIDC_AUDIENCE, fetch }),
      log: createLog('authorize'),
    };
  }),
);

/** The gateway caches this answer by token, for every path: it must not depend on the one that was asked for. */
function wholeStage(methodArn: string): string {
  const [api, stage] = methodArn.split('/');
  return `${api}/${stage}/*`;
}
