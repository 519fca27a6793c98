/** Presigned URLs that no SDK would make, signed by hand, and requests that no fetch would send. */
import { createHmac, hash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Text of an element of the error document; `null`: it has none. */
  element(name: string): string | null;
}

export interface ByHand {
  /** Of the server. */
  url: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  method?: string;
  /** Neither encoded nor checked. */
  path?: string;
  /** Besides those of the authentication. */
  parameters?: Record<string, string>;
  /** Beside `host`, with the values that are signed. */
  headers?: Record<string, string>;
  hostIsSigned?: boolean;
  payloadHash?: string;
  service?: string;
  region?: string;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html#query-string-auth-v4-signing */
export function presignByHand(byHand: ByHand): string {
  const { url, credentials, method = 'GET', path = '/bucket/key', parameters = {}, headers = {}, hostIsSigned = true } = byHand;
  const { payloadHash = 'UNSIGNED-PAYLOAD', service = 's3', region = 'us-east-1' } = byHand;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signed: Record<string, string> = { ...(hostIsSigned && { host: new URL(url).host }), ...headers };
  const names = Object.keys(signed).sort();
  const all: Record<string, string> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': names.join(';'),
    ...parameters,
  };
  const query = Object.keys(all)
    .sort()
    .map((name) => `${encode(name)}=${encode(all[name] ?? '')}`)
    .join('&');
  const canonical = [method, path, query, ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), payloadHash];
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash('sha256', canonical.join('\n'))].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`);
  return `${url}${path}?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

/** Sends the URL as it is: `fetch` would tidy up its path. */
export function send(url: string, method = 'GET', headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  const { origin, hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, method, path: url.slice(origin.length), headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(answer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString())));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** The same URL with one parameter set, or taken out. */
export function withParameter(url: string, name: string, value: string | null): string {
  const [path = '', query = ''] = url.split('?');
  const others = query.split('&').filter((pair) => !pair.startsWith(`${name}=`));
  return `${path}?${[...others, ...(value === null ? [] : [`${name}=${encode(value)}`])].join('&')}`;
}

function answer(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const element = (name: string) => {
    const [, content] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text) ?? [];
    return content?.replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>') ?? null;
  };
  return { status, headers, text, element };
}

/** All but the unreserved characters of RFC 3986. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
