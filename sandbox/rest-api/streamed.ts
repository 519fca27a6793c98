/** Streamed proxy integrations: the answer goes on as it comes, and a broken one never looks complete. */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { readPrelude } from './prelude.ts';
import type { GatewayRequest } from './request.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html */
export const MAX_STREAMED_BYTES = 200 * 1024 * 1024;

/**
 * Sends a stream; resolves when it is over, however it ended. `false`, with nothing sent, when it has no valid prelude.
 * A stream that fails, is longer than `maxBytes` or unlike its Content-Length breaks the caller's connection.
 */
export async function sendStreamed(request: GatewayRequest, response: ServerResponse, body: Readable, maxBytes: number): Promise<boolean> {
  const leave = () => body.destroy();
  response.once('close', leave);
  // Gone while the function was still starting: its 'close' will not come again.
  if (response.closed) leave();
  try {
    const head = await readPrelude(body);
    if (head === null) {
      body.destroy();
      return false;
    }
    response.writeHead(head.statusCode, {
      ...head.headers,
      'x-amzn-requestid': [request.requestId],
      'x-amz-apigw-id': [request.extendedRequestId],
      'x-amzn-trace-id': [request.traceId],
    });
    const declared = request.httpMethod === 'HEAD' ? undefined : head.headers['content-length']?.[0];
    await forward(body, response, maxBytes, declared === undefined ? null : Number(declared));
    return true;
  } catch {
    // Before the head the gateway can still say that it failed; after it only a broken connection tells.
    if (!response.headersSent) return false;
    response.destroy();
    return true;
  } finally {
    response.off('close', leave);
  }
}

async function forward(body: Readable, response: ServerResponse, maxBytes: number, declared: number | null): Promise<void> {
  let sent = 0;
  for await (const chunk of body) {
    sent += chunk.length;
    if (sent > maxBytes || (declared !== null && sent > declared)) throw new Error('The response is longer than it may be.');
    if (!response.write(chunk) && !response.closed) await drained(response);
    if (response.closed) throw new Error('The client closed the connection.');
  }
  if (declared !== null && sent < declared && response.statusCode !== 304) throw new Error('The response is shorter than it said.');
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
