/** Buffered proxy integrations: the whole request to the function, its whole answer to the caller. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { InvokeResult } from '../lambda/index.ts';
import type { Api } from './model.ts';
import { type GatewayRequest, headerOf } from './request.ts';
import { responseHead } from './response-head.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const MAX_REQUEST_BODY = 10 * 1024 * 1024;

const bodySchema = z.object({ body: z.union([z.string(), z.number(), z.boolean()]).nullish(), isBase64Encoded: z.boolean().nullish() });

/** A request's body as the event carries it, `null` when there is none, `too-large` above the gateway's limit. */
export async function readBody(
  api: Api,
  request: GatewayRequest,
  message: IncomingMessage,
): Promise<{ text: string; base64: boolean } | null | 'too-large'> {
  if (message.headers['content-length'] === undefined && message.headers['transfer-encoding'] === undefined) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  // Destroying the message would take the connection with it, and the answer.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > MAX_REQUEST_BODY) return 'too-large';
    chunks.push(chunk);
  }
  if (length === 0) return null;
  const base64 = isBinary(api, headerOf(request, 'content-type'));
  return { text: Buffer.concat(chunks).toString(base64 ? 'base64' : 'utf8'), base64 };
}

/** Sends a function's answer; `false`, with nothing sent, when it failed or is malformed. */
export function sendBuffered(api: Api, request: GatewayRequest, response: ServerResponse, result: InvokeResult): boolean {
  if (result.functionError !== null) return false;
  const answer = parseJson(result.payload);
  const head = responseHead(answer);
  const content = bodySchema.safeParse(answer);
  if (head === null || !content.success) return false;
  const text = String(content.data.body ?? '');
  // Only a caller who accepts a binary type of the API gets bytes; anyone else gets the base64 text.
  const decode = content.data.isBase64Encoded === true && isBinary(api, headerOf(request, 'accept'));
  const body = Buffer.from(text, decode ? 'base64' : 'utf8');
  const { headers } = head;
  headers['content-type'] ??= ['application/json'];
  headers['x-amzn-requestid'] = [request.requestId];
  headers['x-amzn-trace-id'] = [request.traceId];
  // A HEAD may name the length of what a GET would send.
  if (request.httpMethod !== 'HEAD' || headers['content-length'] === undefined) headers['content-length'] = [String(body.length)];
  response.writeHead(head.statusCode, headers);
  response.end(request.httpMethod === 'HEAD' ? undefined : body);
  return true;
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return null;
  }
}

/** Whether the first media type that a header names is one of the API's binary types. */
function isBinary(api: Api, header: string | undefined): boolean {
  if (api.binaryMediaTypes.includes('*/*')) return true;
  const type = header?.split(',')[0]?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined) return false;
  return api.binaryMediaTypes.some(
    (binary) => binary.toLowerCase() === type || (binary.endsWith('/*') && type.startsWith(binary.slice(0, -1))),
  );
}
