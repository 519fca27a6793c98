/** The body of a request, whose bytes are read once: a signature is of them, an event carries them. */
import type { IncomingMessage } from 'node:http';
import type { Api } from './model.ts';
import { type GatewayRequest, headerOf } from './request.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const MAX_REQUEST_BODY = 10 * 1024 * 1024;

/** Gives the same bytes however often it is called; `too-large` above the gateway's limit. */
export type ReadBody = () => Promise<Buffer | 'too-large'>;

export function bodyReader(message: IncomingMessage): ReadBody {
  let read: Promise<Buffer | 'too-large'> | null = null;
  return () => {
    read ??= readBytes(message);
    return read;
  };
}

/** A body as the event has it; `null`: there is none. */
export function encodeBody(api: Api, request: GatewayRequest, bytes: Buffer): { text: string; base64: boolean } | null {
  if (bytes.length === 0) return null;
  const base64 = isBinary(api, headerOf(request, 'content-type'));
  return { text: bytes.toString(base64 ? 'base64' : 'utf8'), base64 };
}

/** Whether the first media type that a header names is one of the API's binary types. */
export function isBinary(api: Api, header: string | undefined): boolean {
  if (api.binaryMediaTypes.includes('*/*')) return true;
  const type = header?.split(',')[0]?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined) return false;
  return api.binaryMediaTypes.some(
    (binary) => binary.toLowerCase() === type || (binary.endsWith('/*') && type.startsWith(binary.slice(0, -1))),
  );
}

async function readBytes(message: IncomingMessage): Promise<Buffer | 'too-large'> {
  if (message.headers['content-length'] === undefined && message.headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let length = 0;
  // Destroying the message would take the connection with it, and the answer.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > MAX_REQUEST_BODY) return 'too-large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
