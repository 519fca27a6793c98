/** Signs requests to the REST API with the signer that the AWS SDK itself has. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Gateway, Reply } from './gateway.ts';

export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | null;
}

export interface SignedRequest {
  headers: Record<string, string>;
  method: string;
  path: string;
  body?: string | Buffer;
}

export interface SignOptions {
  method?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
  service?: string;
  region?: string;
  date?: Date;
}

/** @param target path and query as they are sent */
export async function sign(gateway: Pick<Gateway, 'url'>, keys: Keys, target: string, options: SignOptions = {}): Promise<SignedRequest> {
  const { method = 'GET', body, headers = {}, service = 'execute-api', region = 'us-east-1', date = new Date() } = options;
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const { host, hostname, port } = new URL(gateway.url);
  const [path = '', query = ''] = target.split('?');
  const request = {
    method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path,
    query: queryOf(query),
    headers: { ...headers, host },
    ...(body !== undefined && { body }),
  };
  const signed = await signer.sign(request, { signingDate: date });
  return { method, path: target, headers: signed.headers, ...(body !== undefined && { body }) };
}

export const send = (gateway: Gateway, { method, path, headers, body }: SignedRequest): Promise<Reply> =>
  gateway.send(method, path, { headers, ...(body !== undefined && { body }) });

function queryOf(text: string): Record<string, string[]> {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
}

/** A hash, or with a secret an HMAC, as the signer wants it. */
class Sha256 {
  readonly #secret: Uint8Array | string | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
    this.#hash = this.#open();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#open();
  }

  #open(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
