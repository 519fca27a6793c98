import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

let stack: LocalStack;
let finance: string;
let nobody: string;

beforeAll(async () => {
  stack = await startLocalStack();
  finance = await stack.sandbox.issueToken({ sub: 'fiona', groups: ['finance'] });
  nobody = await stack.sandbox.issueToken({ sub: 'norman', groups: ['visitors'] });
  await stack.drop('finance/report.txt', 'figures');
  await stack.drop('hr/salaries.txt', 'salaries');
  await stack.settled();
});
afterAll(() => stack.stop());

/** All headers but those that differ from request to request. */
const lasting = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => !['date', 'x-amz-apigw-id', 'x-amzn-requestid', 'x-amzn-trace-id'].includes(name)));
const problem = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

describe('the API', () => {
  test('answers 401 with a problem when no token comes', async () => {
    const answer = await stack.get('finance/report.txt', { token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problem(answer)).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  test.each(['garbage', 'a.b.c', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'])('answers 401 to the token %s', async (token) => {
    const answer = await stack.get('finance/report.txt', { token });
    expect(answer.status).toBe(401);
    expect(await problem(answer)).toMatchObject({ code: 'unauthenticated' });
  });

  test('answers 401 to an expired token', async () => {
    const token = await stack.sandbox.issueToken({ sub: 'fiona', groups: ['finance'], ttlSeconds: -120 });
    expect((await stack.get('finance/report.txt', { token })).status).toBe(401);
  });

  test('serves a key that a rule covers', async () => {
    const answer = await stack.get('finance/report.txt', { token: finance });
    expect([answer.status, await answer.text()]).toEqual([200, 'figures']);
  });

  test('answers 403 alike for an object that exists and one that does not, without the right', async () => {
    const shapes = await Promise.all(
      ['hr/salaries.txt', 'hr/no-such-file.txt'].map(async (key) => {
        const answer = await stack.get(key, { token: finance });
        const { instance, ...rest } = await problem(answer);
        expect(instance).toMatch(/^urn:request:/);
        const head = await stack.get(key, { token: finance, method: 'HEAD' });
        return { status: answer.status, rest, headers: lasting(answer), head: [head.status, lasting(head)] };
      }),
    );
    expect(shapes[0]).toEqual(shapes[1]);
    expect(shapes[0]).toMatchObject({ status: 403, rest: { code: 'forbidden' } });
  });

  test('denies by default: a token without a matching group reads nothing', async () => {
    expect((await stack.get('finance/report.txt', { token: nobody })).status).toBe(403);
  });

  test('answers 404 for a missing object to one with the right', async () => {
    const answer = await stack.get('finance/no-such-file.txt', { token: finance });
    expect(answer.status).toBe(404);
    expect(await problem(answer)).toMatchObject({ code: 'not-found' });
  });

  test('records a refused download with who asked', async () => {
    await stack.get('hr/refused.txt', { token: finance });
    expect(await stack.history('hr/refused.txt')).toMatchObject([{ action: 'DownloadDenied', outcome: 'denied', actor: 'fiona' }]);
  });

  test('lists only below an allowed prefix', async () => {
    const allowed = await stack.api('/objects?prefix=finance/', { token: finance });
    expect(await allowed.json()).toMatchObject({ objects: [{ key: 'finance/report.txt', size: 7 }], prefixes: [], cursor: null });
    expect((await stack.api('/objects', { token: finance })).status).toBe(403);
    expect((await stack.api('/objects?prefix=fin', { token: finance })).status).toBe(403);
  });

  test('pages a listing by cursor, and cuts it at a delimiter', async () => {
    const first = (await (await stack.api('/objects?limit=1')).json()) as { objects: { key: string }[]; cursor: string };
    const second = (await (await stack.api(`/objects?limit=1&cursor=${encodeURIComponent(first.cursor)}`)).json()) as typeof first;
    expect([first.objects[0]?.key, second.objects[0]?.key]).toEqual(['finance/report.txt', 'hr/salaries.txt']);
    expect(await (await stack.api('/objects?delimiter=/')).json()).toMatchObject({ objects: [], prefixes: ['finance/', 'hr/'] });
  });

  test('keeps history from one who may only read', async () => {
    const answer = await stack.api('/audit?key=finance/report.txt', { token: finance });
    expect(answer.status).toBe(403);
    expect(await problem(answer)).toMatchObject({ code: 'forbidden' });
  });

  test.each([
    `/objects?prefix=${'z'.repeat(1025)}`,
    '/object?key=..',
    '/objects?limit=0',
    '/objects?limit=1001',
    '/objects?colour=red',
    '/object',
    '/audit',
    '/objects?cursor=nonsense',
    '/audit?key=a&from=yesterday',
  ])('answers 400 with a problem to %s', async (path) => {
    const answer = await stack.api(path);
    expect(answer.status).toBe(400);
    expect(await problem(answer)).toMatchObject({ code: 'invalid-request' });
  });

  test('answers 404 with a problem to a route that it does not have', async () => {
    const answer = await stack.api('/nowhere');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('says that it is healthy to anyone', async () => {
    expect(await (await stack.api('/health', { token: null })).json()).toEqual({ status: 'ok' });
  });
});

describe('keys that URLs find hard', () => {
  const KEYS = [
    'a+b c.txt',
    '100%.txt',
    '%41.txt',
    'é/日本/🙂.txt',
    'x//y/../z/',
    'a/../b/..',
    `${'k'.repeat(1023)}é`.slice(0, 1023),
    'quote\'&<>".txt',
  ];

  test.each(KEYS)('%s comes back by /object?key=', async (key) => {
    await stack.drop(key, `content of ${key}`);
    await stack.settled();
    const answer = await stack.get(key);
    expect([answer.status, await answer.text()]).toEqual([200, `content of ${key}`]);
  });

  test.each(['a+b c.txt', '100%.txt', '%41.txt', 'é/日本/🙂.txt'])('%s comes back by its path, decoded exactly once', async (key) => {
    const bySlash = await stack.api(`/objects/${key.split('/').map(encodeURIComponent).join('/')}`);
    expect([bySlash.status, await bySlash.text()]).toEqual([200, `content of ${key}`]);
    const byEscape = await stack.api(`/objects/${encodeURIComponent(key)}`);
    expect([byEscape.status, await byEscape.text()]).toEqual([200, `content of ${key}`]);
  });
});
