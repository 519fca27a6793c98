import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Api, openApi } from '../../../cli/api/api.ts';
import { follow } from '../../../cli/put/follow.ts';
import { historySince } from '../../../cli/put/history.ts';
import type { PutState } from '../../../cli/put/judge.ts';

let server: Server;
let api: Api;
let asked: URLSearchParams[];
let answer: (response: ServerResponse, query: URLSearchParams) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request: IncomingMessage, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    asked.push(searchParams);
    answer(response, searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = openApi({ url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), token: 't' });
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  api.close();
  server.closeAllConnections();
  server.close();
});

const { signal } = new AbortController();
const NOW = Date.now();
const PUT: PutState = { versionId: 'mine', bytes: 1, begunAt: NOW, doneAt: NOW };
const encrypted = (sourceVersionId: string) => ({
  action: 'ObjectEncrypted',
  at: new Date(NOW).toISOString(),
  sourceVersionId,
  encryption: { mode: 'sse-s3' },
});
const page = (response: ServerResponse, events: unknown[], cursor: string | null = null, headers = {}) =>
  response.writeHead(200, headers).end(JSON.stringify({ events, cursor }));

const followed = (options: { timeoutMs?: number; current?: string | null } = {}) => {
  const { timeoutMs = 10_000, current = null } = options;
  return follow(api, 'a ü+%', PUT, { timeoutMs, signal, currentVersion: async () => current });
};

test('asks for the key since just before the put, again and again, until it is known', async () => {
  answer = (response) => page(response, asked.length < 3 ? [] : [encrypted('mine')]);
  expect(await followed()).toEqual({ kind: 'encrypted', encryption: { mode: 'sse-s3' } });
  expect(asked).toHaveLength(3);
  for (const query of asked) {
    expect(query.get('key')).toBe('a ü+%');
    expect(Date.parse(query.get('from') ?? '')).toBe(NOW - 2000);
  }
});

test('reads a history to its end, page by page', async () => {
  answer = (response, query) => (query.has('cursor') ? page(response, [encrypted('mine')]) : page(response, [encrypted('x')], 'next'));
  expect((await historySince(api, 'k', NOW, signal)).events).toHaveLength(2);
  expect(asked.map((query) => query.get('cursor'))).toEqual([null, 'next']);
});

test("tells how far the API's clock is from ours", async () => {
  answer = (response) => page(response, [], null, { date: new Date(Date.now() + 3_600_000).toUTCString() });
  const { clockAheadMs } = await historySince(api, 'k', NOW, signal);
  expect(Math.abs(clockAheadMs - 3_600_000)).toBeLessThan(2000);
});

test('is not misled by a service that is away for a while', async () => {
  answer = (response) => {
    if (asked.length <= 7) response.writeHead(503).end();
    else page(response, [encrypted('mine')]);
  };
  expect((await followed()).kind).toBe('encrypted');
});

test('another state of the same moment supersedes it only if S3 says that it is the current one', async () => {
  answer = (response) => page(response, [encrypted('other')]);
  expect((await followed({ current: 'other' })).kind).toBe('superseded');
  expect((await followed({ current: 'mine', timeoutMs: 300 })).kind).toBe('under way');
  expect((await followed({ current: null, timeoutMs: 300 })).kind).toBe('under way');
});

test('ends where the history may not be seen any more, or is none', async () => {
  answer = (response) => response.writeHead(403).end('{"code":"forbidden"}');
  await expect(followed()).rejects.toMatchObject({ code: 'forbidden' });
  answer = (response) => response.writeHead(200).end('<html>');
  await expect(followed()).rejects.toThrow("none of Sealdrop's");
  expect(asked).toHaveLength(2);
});
