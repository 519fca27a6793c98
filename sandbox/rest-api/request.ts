/** One request on its way through the gateway. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { Api } from './model.ts';

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

/** Several values by name, in the order they came. */
export type Values = Record<string, string[]>;

export interface GatewayRequest {
  /** A client may choose it: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html (requestId) */
  requestId: string;
  /** Nobody may choose it. */
  extendedRequestId: string;
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

/** Sixteen characters, the last of them `=`. */
const EXTENDED_ID_BYTES = 11;

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
    requestId: String(message.headers['x-amzn-requestid'] ?? randomUUID()),
    extendedRequestId: randomBytes(EXTENDED_ID_BYTES).toString('base64'),
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
