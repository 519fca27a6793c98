import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { functionArn } from '../../../sandbox/lambda/index.ts';
import type { Authorizer } from '../../../sandbox/rest-api/index.ts';
import { type Gateway, method, openGateway } from './gateway.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
  await gateway.bench.deploy('fn', "export const handler = async () => ({ statusCode: 200, body: 'served' });");
  await gateway.bench.deploy(
    'gate',
    `export const handler = async ({ methodArn }) => ({ principalId: 'p', policyDocument: { Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }] } });`,
  );
});
afterEach(() => gateway.close());

/** Lets somebody invoke the function instead of all of the API. */
function permit(fn: string, sourceArn: string | null, principal = 'apigateway.amazonaws.com'): void {
  const action = 'lambda:InvokeFunction';
  gateway.bench.functions.permit(fn, { functionArn: functionArn(fn), action, principal, sourceArn, sourceAccount: null });
}

const api = (path: string) => `arn:aws:execute-api:us-east-1:000000000000:api1234567/${path}`;

describe('a method invokes its function', () => {
  test.each([
    [200, 'all of the API', api('*/*')],
    [200, 'the method', api('dev/GET/objects/{key+}')],
    [200, 'the method by a pattern', api('*/GET/objects/*')],
    [200, 'nothing in particular', null],
    [500, 'another method', api('*/POST/*')],
    [500, 'another path', api('*/GET/other')],
    [500, 'another stage', api('prod/*')],
    [500, 'another API', 'arn:aws:execute-api:us-east-1:000000000000:other/*'],
  ])('%i when its permission names %s', async (status, _what, sourceArn) => {
    gateway.deploy([method('GET', '/objects/{key+}')]);
    permit('fn', sourceArn);
    const reply = await gateway.send('GET', '/objects/a/b');
    expect(reply.status).toBe(status);
    expect(reply.body.toString()).toBe(status === 200 ? 'served' : '{"message":"Internal server error"}');
  });

  test.each([
    ['there is none', () => gateway.bench.functions.forbid('fn')],
    ['it is for another service', () => permit('fn', null, 's3.amazonaws.com')],
    ['it is for the account', () => permit('fn', null, '000000000000')],
  ])('500 when %s', async (_why, change) => {
    gateway.deploy([method('GET', '/x')]);
    change();
    expect((await gateway.send('GET', '/x')).status).toBe(500);
  });

  test('streams by right only', async () => {
    gateway.deploy([method('GET', '/x', { streaming: true })]);
    gateway.bench.functions.forbid('fn');
    expect((await gateway.send('GET', '/x')).status).toBe(500);
  });
});

describe('an authorizer invokes its function', () => {
  const authorizer: Authorizer = {
    id: 'auth01',
    kind: 'REQUEST',
    functionArn: functionArn('gate'),
    ttlSeconds: 0,
    identitySources: ['method.request.header.Authorization'],
    validation: null,
  };

  test.each([
    [200, api('*/*')],
    [200, api('authorizers/auth01')],
    [500, api('authorizers/other')],
    [500, api('dev/GET/x')],
  ])('%i when its permission names %s', async (status, sourceArn) => {
    gateway.deploy([method('GET', '/x', { authorization: { type: 'CUSTOM', authorizer } })]);
    permit('gate', sourceArn);
    const reply = await gateway.send('GET', '/x', { headers: { Authorization: 'Bearer x' } });
    expect(reply.status).toBe(status);
    if (status === 500) expect(reply.headers['x-amzn-errortype']).toBe('AuthorizerConfigurationException');
  });
});
