/** One request on its way through the gateway, and the proxy event (version 1.0) that functions get of it. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { Api, Method } from './model.ts';

/** Several values by name, in the order they came. */
export type Values = Record<string, string[]>;

export interface GatewayRequest {
  requestId: string;
  traceId: string;
  httpMethod: string;
  /** As sent, percent-encoded, without the query. */
  path: string;
  /** Names as sent. */
  headers: Values;
  /** Decoded. */
  query: Values;
  sourceIp: string;
  protocol: string;
  time: Date;
}

/** What an authorizer said of the caller: strings, numbers and booleans. */
export type AuthorizerContext = Record<string, string | number | boolean>;

export interface RouteMatch {
  method: Method;
  /** As sent, percent-encoded: a function decodes them once. */
  pathParameters: Record<string, string>;
}

/** Reads what a request says; the gateway adds the headers that a front of AWS's adds. */
export function readRequest(message: IncomingMessage): GatewayRequest {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const sourceIp = (message.socket.remoteAddress ?? '127.0.0.1').replace('::ffff:', '');
  const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  const headers = collect(pairs(message.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase())));
  headers['X-Forwarded-For'] = [sourceIp];
  headers['X-Forwarded-Port'] = [String(message.socket.localPort ?? '')];
  headers['X-Forwarded-Proto'] = ['http'];
  headers['X-Amzn-Trace-Id'] = [traceId];
  return {
    requestId: randomUUID(),
    traceId,
    httpMethod: message.method ?? 'GET',
    path,
    headers,
    query: mark < 0 ? {} : collect([...new URLSearchParams(url.slice(mark + 1))]),
    sourceIp,
    protocol: `HTTP/${message.httpVersion}`,
    time: new Date(),
  };
}

/** The value of a header, whatever its case; the last one when there are several. */
export function headerOf(request: GatewayRequest, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(request.headers)
    .findLast(([candidate]) => candidate.toLowerCase() === wanted)?.[1]
    .at(-1);
}

/** The ARN that policies name a method by. */
export function methodArn(api: Api, request: GatewayRequest): string {
  return `arn:${PARTITION}:execute-api:${REGION}:${ACCOUNT_ID}:${api.id}/${api.stage}/${request.httpMethod}${request.path}`;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
export function createProxyEvent(
  api: Api,
  request: GatewayRequest,
  route: RouteMatch,
  authorizer: AuthorizerContext | null,
  body: { text: string; base64: boolean } | null,
): Record<string, unknown> {
  return {
    ...createRequestEvent(api, request, route, authorizer),
    body: body?.text ?? null,
    isBase64Encoded: body?.base64 ?? false,
  };
}

/** The part that request authorizers get too. */
export function createRequestEvent(
  api: Api,
  request: GatewayRequest,
  { method, pathParameters }: RouteMatch,
  authorizer: AuthorizerContext | null,
): Record<string, unknown> {
  return {
    resource: method.resourcePath,
    path: request.path,
    httpMethod: request.httpMethod,
    headers: nullIfEmpty(lastOf(request.headers)),
    multiValueHeaders: nullIfEmpty(request.headers),
    queryStringParameters: nullIfEmpty(lastOf(request.query)),
    multiValueQueryStringParameters: nullIfEmpty(request.query),
    pathParameters: nullIfEmpty(pathParameters),
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      ...(authorizer === null ? {} : { authorizer }),
      domainName: headerOf(request, 'host') ?? '',
      domainPrefix: api.id,
      extendedRequestId: request.requestId,
      httpMethod: request.httpMethod,
      identity: createIdentity(request),
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

/** Not handed on: they are between this connection's two ends. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function createIdentity(request: GatewayRequest): Record<string, string | null> {
  return {
    accessKey: null,
    accountId: null,
    caller: null,
    cognitoAuthenticationProvider: null,
    cognitoAuthenticationType: null,
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    principalOrgId: null,
    sourceIp: request.sourceIp,
    user: null,
    userAgent: headerOf(request, 'user-agent') ?? null,
    userArn: null,
  };
}

/** CLF time, as `$context.requestTime` has it: `20/Nov/2026:17:04:05 +0000`. */
function formatTime(time: Date): string {
  const [date, clock] = time.toISOString().split('T');
  const [year, month, day] = (date ?? '').split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${(clock ?? '').slice(0, 8)} +0000`;
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[i * 2] ?? '', raw[i * 2 + 1] ?? '']);
}

function collect(entries: readonly [string, string][]): Values {
  const values: Values = Object.create(null);
  for (const [name, value] of entries) {
    const list = values[name];
    if (list === undefined) values[name] = [value];
    else list.push(value);
  }
  return values;
}

function lastOf(values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? '']));
}

function nullIfEmpty<T extends object>(values: T): T | null {
  return Object.keys(values).length === 0 ? null : values;
}
