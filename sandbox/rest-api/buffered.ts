/** Buffered proxy integrations: a function's whole answer to the caller. */
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { InvokeResult } from '../lambda/index.ts';
import { isBinary } from './body.ts';
import type { Api } from './model.ts';
import { type GatewayRequest, headerOf } from './request.ts';
import { responseHead } from './response-head.ts';

const bodySchema = z.object({ body: z.union([z.string(), z.number(), z.boolean()]).nullish(), isBase64Encoded: z.boolean().nullish() });

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
  headers['x-amz-apigw-id'] = [request.extendedRequestId];
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
