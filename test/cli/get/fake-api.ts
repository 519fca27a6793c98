/** One object behind `/object`, as the API serves it, on a real server whose answers a test can change. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeObject {
  body: Buffer;
  etag: string;
  versionId: string | null;
  /** Beside those that every answer has. */
  headers: Record<string, string>;
}

export interface Asked {
  method: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Of the range that it asks for; 0 and -1 without one. */
  first: number;
  last: number;
  /** How often this range was asked for, from 1 on. */
  time: number;
}

export interface FakeApi {
  url: URL;
  object: FakeObject;
  asked: Asked[];
  /** Answers in place of the API; `serve` answers as it does. */
  answer: (asked: Asked, response: ServerResponse, serve: () => void) => void;
  /** Ranges of GETs, in order, as `first-last`. */
  ranges(): string[];
  close(): Promise<void>;
}

export async function startFakeApi(body: Buffer, more: Partial<FakeObject> = {}): Promise<FakeApi> {
  const server = createServer((request, response) => {
    const [, first = '0', last = '-1'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const { method = '', headers } = request;
    const time = 1 + api.asked.filter((one) => one.method === method && one.first === Number(first) && one.last === Number(last)).length;
    const query = new URL(request.url ?? '', api.url).searchParams;
    const asked = { method, query, headers, first: Number(first), last: Number(last), time };
    api.asked.push(asked);
    api.answer(asked, response, () => serve(api.object, asked, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api: FakeApi = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/stage`),
    object: { body, etag: '"first"', versionId: 'v1', headers: {}, ...more },
    asked: [],
    answer: (_, __, serveIt) => serveIt(),
    ranges: () => api.asked.filter(({ method }) => method === 'GET').map(({ first, last }) => `${first}-${last}`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return api;
}

export function problem(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  const body = JSON.stringify({ status, code, detail: `about ${code}`, instance: 'urn:request:42' });
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
  response.end(body);
}

function serve({ body, etag, versionId, headers }: FakeObject, asked: Asked, response: ServerResponse): void {
  const ifMatch = asked.headers['if-match'];
  if (ifMatch !== undefined && ifMatch !== etag) {
    problem(response, 412, 'precondition-failed');
    return;
  }
  const named = { etag, ...(versionId === null ? {} : { 'x-sealdrop-version-id': versionId }) };
  if (asked.method === 'HEAD') {
    response.writeHead(200, { ...named, ...headers, 'x-sealdrop-length': String(body.length) });
    response.end();
    return;
  }
  const part = body.subarray(asked.first, asked.last + 1);
  response.writeHead(206, {
    ...named,
    'content-range': `bytes ${asked.first}-${asked.last}/${body.length}`,
    'content-length': part.length,
  });
  response.end(part);
}
