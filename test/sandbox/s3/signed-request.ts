/** A request as no SDK would send it, signed by hand with the payload unsigned. */
import { createHash, createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { Sandbox } from './sandbox.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/**
 * @param path with its query, as it goes over the wire
 * @param body `null` for none; a body is sent in HTTP chunks, without a length
 */
export function sendSigned(
  { url, credentials }: Sandbox,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | null = null,
): Promise<Answer> {
  const { host, hostname, port } = new URL(url);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const signed: Record<string, string> = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': time, ...headers };
  const names = Object.keys(signed).sort();
  const [rawPath = '', query = ''] = path.split('?');
  const canonical = [method, rawPath, query, ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), 'UNSIGNED-PAYLOAD'];
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical.join('\n')).digest('hex')].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, method, path, headers: { ...signed, authorization } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('error', reject);
    if (body !== null) call.write(body);
    call.end();
  });
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
