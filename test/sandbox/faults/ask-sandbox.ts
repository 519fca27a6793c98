/** Requests to the sandbox itself, signed as `curl --aws-sigv4 aws:amz:us-east-1:sandbox` signs them. */
import { createHmac, hash } from 'node:crypto';

export interface Signer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** @param signer `null`: unsigned */
export function askSandbox(
  endpoint: string,
  signer: Signer | null,
  { method = 'GET', path = '/_sandbox/faults', body = '', accept = 'application/json' } = {},
): Promise<Response> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = { host: new URL(endpoint).host, 'x-amz-date': time };
  if (signer?.sessionToken) headers['x-amz-security-token'] = signer.sessionToken;
  const names = Object.keys(headers).sort();
  const canonical = [method, path, '', ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), hash('sha256', body)];
  const scope = `${time.slice(0, 8)}/us-east-1/sandbox/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash('sha256', canonical.join('\n'))].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${signer?.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${signer?.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const { host: _host, ...sent } = headers;
  return fetch(endpoint + path, {
    method,
    headers: { ...sent, accept, ...(signer && { authorization }) },
    ...(body !== '' && { body }),
  });
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
