import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, method, openGateway } from './gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await openGateway();
  await gateway.bench.deploy('fn', 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });');
  gateway.deploy([
    method('GET', '/objects'),
    method('GET', '/objects/{key+}'),
    method('HEAD', '/objects/{key+}'),
    method('GET', '/objects/special'),
    method('GET', '/users/{id}'),
    method('GET', '/users/{id}/keys/{name}'),
    method('ANY', '/any'),
    method('GET', '/'),
  ]);
});
afterAll(() => gateway.close());

const event = async (path: string, headers: Record<string, string | string[]> = {}) =>
  JSON.parse((await gateway.send('GET', path, { headers })).body.toString());

describe('a path', () => {
  test.each([
    ['/objects', '/objects', null],
    ['/objects/a', '/objects/{key+}', { key: 'a' }],
    ['/objects/a/b/c', '/objects/{key+}', { key: 'a/b/c' }],
    ['/objects/special', '/objects/special', null],
    ['/objects/special/more', '/objects/{key+}', { key: 'special/more' }],
    ['/users/7', '/users/{id}', { id: '7' }],
    ['/users/7/keys/k', '/users/{id}/keys/{name}', { id: '7', name: 'k' }],
    ['/any', '/any', null],
    ['/', '/', null],
  ])('%s reaches %s', async (path, resource, pathParameters) => {
    expect(await event(path)).toMatchObject({ resource, pathParameters, path });
  });

  test.each(['a%2Fb', 'a%252Fb', '%E2%82%AC%20x', 'a+b', '100%25', 'a//b', '%2E%2E/x'])(
    'keeps its encoding in pathParameters: %s',
    async (key) => {
      expect((await event(`/objects/${key}`)).pathParameters).toEqual({ key });
    },
  );

  test.each([
    ['GET', '/nothing'],
    ['GET', '/users'],
    ['GET', '/users/7/keys'],
    ['POST', '/objects/a'],
    ['HEAD', '/objects'],
    ['GET', '/objects/'],
  ])('%s %s is no route: 403 as the gateway says it', async (httpMethod, path) => {
    const reply = await gateway.send(httpMethod, path);
    expect(reply.status).toBe(403);
    expect(reply.headers['x-amzn-errortype']).toBe('MissingAuthenticationTokenException');
    if (httpMethod !== 'HEAD') expect(JSON.parse(reply.body.toString())).toEqual({ message: 'Missing Authentication Token' });
  });

  test('ANY takes every method', async () => {
    expect((await gateway.send('DELETE', '/any')).status).toBe(200);
  });
});

describe('the proxy event', () => {
  test('has decoded query values, the last and all of them', async () => {
    expect(await event('/objects?prefix=a%2Fb%20c&limit=1&limit=2&plus=a+b&empty')).toMatchObject({
      queryStringParameters: { prefix: 'a/b c', limit: '2', plus: 'a b', empty: '' },
      multiValueQueryStringParameters: { prefix: ['a/b c'], limit: ['1', '2'], plus: ['a b'], empty: [''] },
    });
  });

  test('has null where there is nothing', async () => {
    expect(await event('/objects')).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    });
  });

  test('has headers as sent, the last and all of them', async () => {
    const { headers, multiValueHeaders } = await event('/objects', { 'X-Own': ['1', '2'], Accept: 'text/plain' });
    expect(headers).toMatchObject({ 'X-Own': '2', Accept: 'text/plain', 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'http' });
    expect(multiValueHeaders).toMatchObject({ 'X-Own': ['1', '2'], Accept: ['text/plain'] });
    expect(headers.Connection).toBeUndefined();
  });

  test('a query and a header named __proto__ are values like any other', async () => {
    const text = (await gateway.send('GET', '/objects?__proto__=x&constructor=y')).body.toString();
    expect(text).toContain('"__proto__":["x"]');
    expect(text).toContain('"constructor":"y"');
  });

  test('has the request context of the stage', async () => {
    const reply = await gateway.send('GET', '/objects/a%20b', { headers: { 'User-Agent': 'test' } });
    const { requestContext } = JSON.parse(reply.body.toString());
    expect(requestContext).toMatchObject({
      accountId: '000000000000',
      apiId: 'api1234567',
      stage: 'dev',
      path: '/dev/objects/a%20b',
      resourcePath: '/objects/{key+}',
      resourceId: 'res123',
      httpMethod: 'GET',
      protocol: 'HTTP/1.1',
      identity: { sourceIp: '127.0.0.1', userAgent: 'test' },
    });
    expect(requestContext.requestId).toBe(reply.headers['x-amzn-requestid']);
    expect(requestContext.requestTime).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(requestContext.authorizer).toBeUndefined();
  });

  test('has the body as text, or in base64 when its type is one of the binary types', async () => {
    gateway.deploy([method('POST', '/in')], { binaryMediaTypes: ['application/octet-stream', 'image/*'] });
    const body = Buffer.from([0xff, 0x00]);
    const post = async (type: string, content: string | Buffer) =>
      JSON.parse((await gateway.send('POST', '/in', { headers: { 'Content-Type': type }, body: content })).body.toString());
    expect(await post('text/plain', 'grüß')).toMatchObject({ body: 'grüß', isBase64Encoded: false });
    expect(await post('application/octet-stream', body)).toMatchObject({ body: body.toString('base64'), isBase64Encoded: true });
    expect(await post('image/png; x=y', body)).toMatchObject({ isBase64Encoded: true });
  });

  test('a body above 10 MB is refused with 413', async () => {
    gateway.deploy([method('POST', '/in')]);
    const reply = await gateway.send('POST', '/in', { body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect(reply.status).toBe(413);
  });
});
