import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Api, openApi } from '../../../cli/api/api.ts';
import { type Refusal, refusalOf } from '../../../cli/api/refusal.ts';
import { MAX_TRIES, retrying } from '../../../cli/api/retry.ts';
import { failureText } from '../../../cli/failure.ts';

let server: Server;
let api: Api;
let answer: (response: ServerResponse) => void;
let asked: number;

beforeEach(async () => {
  asked = 0;
  server = createServer((_, response) => {
    asked += 1;
    answer(response);
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

async function refused(
  status: number,
  body: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<Refusal> {
  answer = (response) => response.writeHead(status, headers).end(body);
  return refusalOf(api, await api.ask({ method, path: '/object', query: {}, signal }), 'k cannot be fetched', signal);
}

const PROBLEM = { 'content-type': 'application/problem+json' };

describe('what is told', () => {
  test('is the code, the detail without the step that follows it, the step, and the instance', async () => {
    const step = 'Ask for an access rule in policy.yml that covers this action and key.';
    const body = { code: 'forbidden', detail: `You may not read this key. ${step}`, instance: 'urn:request:1' };
    expect(failureText(await refused(403, JSON.stringify(body), PROBLEM))).toBe(
      ['k cannot be fetched: 403 forbidden (You may not read this key.)', `  → ${step}`, '  Operators find it as urn:request:1'].join('\n'),
    );
  });

  test("of the gateway's own errors is their message", async () => {
    const refusal = await refused(403, '{"message":"Missing Authentication Token"}', { 'x-amzn-requestid': '7' });
    expect(refusal).toMatchObject({
      message: 'k cannot be fetched: 403 (Missing Authentication Token)',
      code: null,
      instance: 'urn:request:7',
      nextStep: expect.stringContaining('SEALDROP_API_URL'),
    });
  });

  test.each([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [418, null],
  ])('of a HEAD, which has no body, is what %d means: %s', async (status, code) => {
    expect(await refused(status, '', PROBLEM, 'HEAD')).toMatchObject({ code });
  });

  test('does nothing to a terminal, and is short, whatever a server says', async () => {
    const refusal = await refused(400, JSON.stringify({ code: 'x\u001b[2J', detail: 'y'.repeat(10_000) }), PROBLEM);
    expect(failureText(refusal)).not.toContain('\u001b');
    expect(refusal.message.length).toBeLessThan(600);
  });

  test.each([['<html>'], ['x'.repeat(200_000)], ['[1]'], ['{"code":5}']])('of what is no problem is the status (%#)', async (body) => {
    expect((await refused(502, body)).message).toBe('k cannot be fetched: 502');
  });
});

describe('another try', () => {
  test.each([
    [429, 'whatever', true],
    [500, 'unknown', true],
    [503, 'throttled', true],
    [503, 'of another release', true],
    [503, 'kms-key-disabled', false],
    [502, 'answer-mismatch', false],
    [403, 'forbidden', false],
    [409, 'source-changed', false],
  ])('after %d %s may help: %s', async (status, code, retryable) => {
    expect((await refused(status, JSON.stringify({ code }), PROBLEM)).retryable).toBe(retryable);
  });

  test.each([
    ['3', 3000],
    ['0', 0],
    [new Date(Date.now() + 10_000).toUTCString(), expect.closeTo(9_500, -3.2)],
    [new Date(0).toUTCString(), 0],
    ['soon', null],
  ])('comes after what Retry-After says: %s', async (header, ms) => {
    expect((await refused(503, '', { 'retry-after': header })).retryAfterMs).toEqual(ms);
  });

  const attempt = (headers: Record<string, string>) =>
    retrying(async () => {
      throw await refused(503, '{"code":"throttled"}', headers);
    }, signal);

  test(`is one of ${MAX_TRIES} at most`, async () => {
    await expect(attempt({})).rejects.toMatchObject({ status: 503 });
    expect(asked).toBe(MAX_TRIES);
  });

  test('is not waited for longer than somebody waits', async () => {
    await expect(attempt({ 'retry-after': '61' })).rejects.toMatchObject({ status: 503 });
    expect(asked).toBe(1);
  });

  test('is not waited for once it is told to stop', async () => {
    const abort = new AbortController();
    const waiting = retrying(async () => {
      throw await refused(503, '', { 'retry-after': '30' });
    }, abort.signal);
    setTimeout(() => abort.abort(new Error('told to stop')), 50);
    await expect(waiting).rejects.toThrow('told to stop');
  });
});

describe('who does not answer', () => {
  test('at all is asked once, and is probably not there', async () => {
    const away = openApi({ url: new URL('http://127.0.0.1:9'), token: 't' });
    const ask = vi.fn(() => away.ask({ method: 'GET', path: '/', query: {}, signal }));
    await expect(retrying(ask, signal)).rejects.toMatchObject({ message: expect.stringContaining('cannot be reached'), exitCode: 2 });
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test('any more, having answered, is asked again', async () => {
    await refused(200, '');
    answer = (response) => response.destroy();
    asked = 0;
    const ask = () => api.ask({ method: 'GET', path: '/', query: {}, signal });
    await expect(retrying(ask, signal)).rejects.toMatchObject({ message: expect.stringContaining('broke'), exitCode: 1 });
    expect(asked).toBe(MAX_TRIES);
  });
});

test('an answer that was stored with a Content-Encoding stays as it is', async () => {
  answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all');
  const chunks: Buffer[] = [];
  const got = await api.ask({ method: 'GET', path: '/object', query: {}, signal });
  for await (const chunk of api.read(got, signal)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('no gzip at all');
});
