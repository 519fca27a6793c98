import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { functionArn } from '../../../sandbox/lambda/index.ts';
import type { Authorizer } from '../../../sandbox/rest-api/index.ts';
import { type Gateway, method, openGateway } from './gateway.ts';

let gateway: Gateway;
let calls = 0;

beforeAll(async () => {
  gateway = await openGateway();
  await gateway.bench.deploy(
    'fn',
    'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer) });',
  );
  await gateway.bench.deploy(
    'gate',
    `const policy = (Effect, Resource, Action = 'execute-api:Invoke') => ({ principalId: 'me', policyDocument: { Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] } });
     export const handler = async (event) => {
       console.log('asked');
       const token = event.authorizationToken ?? event.headers?.Authorization ?? '';
       const api = event.methodArn.split('/').slice(0, 2).join('/');
       switch (token) {
         case 'all': return { ...policy('Allow', api + '/*'), context: { sub: 'u1', age: 7, admin: true, nothing: null } };
         case 'echo': return { ...policy('Allow', '*'), context: { event: JSON.stringify(event) } };
         case 'this': return policy('Allow', event.methodArn);
         case 'deny': return policy('Deny', '*');
         case 'other': return policy('Allow', api + '/POST/*');
         case 'action': return policy('Allow', '*', 's3:GetObject');
         case 'both': return { principalId: 'me', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'execute-api:*', Resource: [api + '/GET/x'] }] } };
         case 'nested': return { ...policy('Allow', '*'), context: { claims: { groups: [] } } };
         case 'shape': return { allowed: true };
         case 'condition': { const answer = policy('Allow', '*'); answer.policyDocument.Statement[0].Condition = {}; return answer; }
         case 'unauthorized': throw new Error('Unauthorized');
         default: throw new Error('broken: ' + token);
       }
     };`,
  );
});
afterAll(() => gateway.close());
beforeEach(() => {
  calls = asked();
});

const asked = () => gateway.bench.printed.get('gate')?.match(/asked/g)?.length ?? 0;

function deploy(more: Partial<Authorizer> = {}, gatewayResponses = {}): void {
  const authorizer: Authorizer = {
    id: 'auth1',
    kind: 'REQUEST',
    functionArn: functionArn('gate'),
    ttlSeconds: 0,
    identitySources: ['method.request.header.Authorization'],
    validation: null,
    ...more,
  };
  gateway.deploy(
    [
      method('GET', '/x', { authorization: { type: 'CUSTOM', authorizer } }),
      method('GET', '/y', { authorization: { type: 'CUSTOM', authorizer } }),
    ],
    {
      gatewayResponses,
    },
  );
}

const get = (token: string | null, path = '/x') => gateway.send('GET', path, token === null ? {} : { headers: { Authorization: token } });

describe('an authorizer', () => {
  test('hands its context to the function as text', async () => {
    deploy();
    const reply = await get('all');
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body.toString())).toEqual({ principalId: 'me', sub: 'u1', age: '7', admin: 'true', integrationLatency: 0 });
  });

  test('is asked with the request', async () => {
    deploy();
    const event = JSON.parse(JSON.parse((await get('echo', '/x?a=1')).body.toString()).event);
    expect(event).toMatchObject({
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:us-east-1:000000000000:api1234567/dev/GET/x',
      resource: '/x',
      httpMethod: 'GET',
      headers: { Authorization: 'echo' },
      queryStringParameters: { a: '1' },
      requestContext: { stage: 'dev' },
    });
    expect(event.body).toBeUndefined();
  });

  test('of kind TOKEN is asked with the token alone', async () => {
    deploy({ kind: 'TOKEN' });
    const event = JSON.parse(JSON.parse((await get('echo')).body.toString()).event);
    expect(Object.keys(event).sort()).toEqual(['authorizationToken', 'methodArn', 'type']);
  });

  test.each([
    ['this', '/x', 200],
    ['deny', '/x', 403],
    ['other', '/x', 403],
    ['action', '/x', 403],
    ['both', '/x', 403],
    ['both', '/y', 200],
    ['unauthorized', '/x', 401],
    ['anything else', '/x', 500],
    ['nested', '/x', 500],
    ['shape', '/x', 500],
    ['condition', '/x', 500],
  ])('whose answer is "%s" for %s makes %i', async (token, path, status) => {
    deploy();
    expect((await get(token, path)).status).toBe(status);
  });

  test('says why it denies, and hides why it failed', async () => {
    deploy();
    expect((await get('deny')).body.toString()).toBe('{"message":"User is not authorized to access this resource with an explicit deny"}');
    expect((await get('other')).body.toString()).toBe('{"message":"User is not authorized to access this resource"}');
    expect((await get('broken secret')).body.toString()).toBe('{"message":"Internal server error"}');
  });

  test('is not asked when the identity source is missing: 401', async () => {
    deploy();
    const reply = await get(null);
    expect([reply.status, reply.body.toString()]).toEqual([401, '{"message":"Unauthorized"}']);
    await sleep(50);
    expect(asked()).toBe(calls);
  });

  test('of kind TOKEN is not asked when the token does not match its expression: 401', async () => {
    deploy({ kind: 'TOKEN', validation: /^(?:all)$/ });
    expect((await get('all')).status).toBe(200);
    expect((await get('deny')).status).toBe(401);
  });
});

describe('the cache', () => {
  const settle = async (expected: number) => expect.poll(() => asked() - calls).toBe(expected);

  test('off asks every time', async () => {
    deploy({ ttlSeconds: 0 });
    await get('all');
    await get('all');
    await settle(2);
  });

  test('on asks once a token', async () => {
    deploy({ ttlSeconds: 60 });
    for (const token of ['all', 'all', 'deny', 'deny']) await get(token);
    await settle(2);
    expect((await get('deny')).status).toBe(403);
  });

  test('keeps the policy, so that one for a single method refuses the next', async () => {
    deploy({ ttlSeconds: 60 });
    expect((await get('this', '/x')).status).toBe(200);
    expect((await get('this', '/y')).status).toBe(403);
    await settle(1);
  });

  test('forgets after its time', async () => {
    deploy({ ttlSeconds: 1 });
    await get('all');
    await sleep(1100);
    await get('all');
    await settle(2);
  });

  test('keeps no failures', async () => {
    deploy({ ttlSeconds: 60 });
    await get('broken');
    await get('broken');
    await settle(2);
  });
});

describe("the template's gateway responses", () => {
  const problem = (extra: object = {}) => ({
    statusCode: null,
    headers: { 'Content-Type': "'application/problem+json'", 'X-Request': 'context.requestId', 'X-Back': 'method.request.header.X-Mark' },
    templates: {
      'application/json': '{"detail":$context.error.messageString,"type":"$context.error.responseType","id":"$context.requestId"}',
    },
    ...extra,
  });

  test('shape the answer by type', async () => {
    deploy({}, { UNAUTHORIZED: problem({ statusCode: 499 }) });
    const reply = await gateway.send('GET', '/x', { headers: { 'X-Mark': 'm1' } });
    expect(reply.status).toBe(499);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-request': reply.headers['x-amzn-requestid'],
      'x-back': 'm1',
    });
    expect(JSON.parse(reply.body.toString())).toEqual({
      detail: 'Unauthorized',
      type: 'UNAUTHORIZED',
      id: reply.headers['x-amzn-requestid'],
    });
  });

  test('fall back to DEFAULT_4XX and DEFAULT_5XX with the status of the type', async () => {
    deploy({}, { DEFAULT_4XX: problem(), DEFAULT_5XX: problem() });
    expect([(await get(null)).status, (await get('deny')).status, (await get('broken')).status]).toEqual([401, 403, 500]);
    expect((await gateway.send('GET', '/no')).headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse((await get('broken')).body.toString()).detail).toBe('Internal server error');
  });

  test('with several templates go by Accept, else by application/json', async () => {
    const templates = { 'application/json': '{}', 'text/plain': 'plain $context.stage' };
    deploy({}, { UNAUTHORIZED: { statusCode: null, headers: {}, templates } });
    const plain = await gateway.send('GET', '/x', { headers: { Accept: 'text/plain, */*' } });
    expect([plain.headers['content-type'], plain.body.toString()]).toEqual(['text/plain', 'plain dev']);
    expect((await gateway.send('GET', '/x', { headers: { Accept: '*/*' } })).headers['content-type']).toBe('application/json');
  });
});
