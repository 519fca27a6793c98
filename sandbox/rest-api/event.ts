/** The proxy event (version 1.0) that functions get of a request. */
import { ACCOUNT_ID } from '../account.ts';
import type { Principal } from '../service.ts';
import type { Api, Method } from './model.ts';
import { type GatewayRequest, headerOf, type Values } from './request.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** What an authorizer said of the caller: strings, numbers and booleans. */
export type AuthorizerContext = Record<string, string | number | boolean>;

/** What the method's authorization found out. */
export type Caller =
  | { by: 'nobody' }
  | { by: 'authorizer'; context: AuthorizerContext }
  /** Who signed the request. */
  | { by: 'iam'; principal: Principal };

export interface RouteMatch {
  method: Method;
  /** As sent, percent-encoded: a function decodes them once. */
  pathParameters: Record<string, string>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
export function createProxyEvent(
  api: Api,
  request: GatewayRequest,
  route: RouteMatch,
  caller: Caller,
  body: { text: string; base64: boolean } | null,
): Record<string, unknown> {
  return {
    ...createRequestEvent(api, request, route, caller),
    body: body?.text ?? null,
    isBase64Encoded: body?.base64 ?? false,
  };
}

/** The part that request authorizers get too. */
export function createRequestEvent(
  api: Api,
  request: GatewayRequest,
  { method, pathParameters }: RouteMatch,
  caller: Caller,
): Record<string, unknown> {
  const headers = caller.by === 'iam' ? withoutSignature(request.headers) : request.headers;
  return {
    resource: method.resourcePath,
    path: request.path,
    httpMethod: request.httpMethod,
    headers: nullIfEmpty(lastOf(headers)),
    multiValueHeaders: nullIfEmpty(headers),
    queryStringParameters: nullIfEmpty(lastOf(request.query)),
    multiValueQueryStringParameters: nullIfEmpty(request.query),
    pathParameters: nullIfEmpty(pathParameters),
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      ...(caller.by === 'authorizer' ? { authorizer: caller.context } : {}),
      domainName: headerOf(request, 'host') ?? '',
      domainPrefix: api.id,
      extendedRequestId: request.extendedRequestId,
      httpMethod: request.httpMethod,
      identity: createIdentity(request, caller.by === 'iam' ? caller.principal : null),
      path: `/${api.stage}${request.path}`,
      protocol: request.protocol,
      requestId: request.requestId,
      requestTime: formatTime(request.time),
      requestTimeEpoch: request.time.getTime(),
      resourceId: method.resourceId,
      resourcePath: method.resourcePath,
      stage: api.stage,
    },
  };
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference */
function createIdentity(request: GatewayRequest, principal: Principal | null): Record<string, string | null> {
  return {
    accessKey: principal?.accessKeyId ?? null,
    accountId: principal === null ? null : ACCOUNT_ID,
    caller: principal?.userId ?? null,
    cognitoAuthenticationProvider: null,
    cognitoAuthenticationType: null,
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    // Nobody here is of an organization.
    principalOrgId: null,
    sourceIp: request.sourceIp,
    user: principal?.userId ?? null,
    userAgent: headerOf(request, 'user-agent') ?? null,
    userArn: principal?.arn ?? null,
  };
}

/** API Gateway does not document it, but events of signed requests have all of their headers except this one. */
function withoutSignature(headers: Values): Values {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
}

/** CLF time, as `$context.requestTime` has it: `20/Nov/2026:17:04:05 +0000`. */
function formatTime(time: Date): string {
  const [date, clock] = time.toISOString().split('T');
  const [year, month, day] = (date ?? '').split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${(clock ?? '').slice(0, 8)} +0000`;
}

function lastOf(values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? '']));
}

function nullIfEmpty<T extends object>(values: T): T | null {
  return Object.keys(values).length === 0 ? null : values;
}
