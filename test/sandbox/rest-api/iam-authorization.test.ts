import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, method, openGateway, type Reply } from './gateway.ts';
import { send, sign } from './signer.ts';

const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const api = (path: string) => `arn:aws:execute-api:us-east-1:000000000000:api1234567/${path}`;
const statement = (Effect: 'Allow' | 'Deny', Resource: string | string[], more: object = {}) => ({
  Effect,
  Action: 'execute-api:Invoke',
  Resource,
  ...more,
});

let gateway: Gateway;
beforeAll(async () => {
  gateway = await openGateway();
  await gateway.bench.deploy('fn', "export const handler = async () => ({ statusCode: 200, body: 'served' });");
});
afterAll(() => gateway.close());

/** Calls as the session of a role with these rights. */
async function callWith(statements: object[], path: string, headers: Record<string, string> = {}): Promise<Reply> {
  gateway.deploy([method('ANY', '/objects/{key+}', { authorization: { type: 'AWS_IAM' } })]);
  const { access, credentials } = gateway.bench;
  const { arn } = access.putRole('caller', TRUST, { rights: { Version: '2012-10-17', Statement: statements } });
  const keys = credentials.issueForRole('caller', { roleArn: arn, sessionName: 'worker' });
  return send(gateway, await sign(gateway, keys, path, { headers }));
}

describe("a role's policies decide by the method's ARN", () => {
  test.each([
    [200, 'all of the API', [statement('Allow', api('*'))]],
    [200, 'the stage and verb', [statement('Allow', api('dev/GET/*'))]],
    [200, 'the path of the request', [statement('Allow', api('dev/GET/objects/a'))]],
    [200, 'any service', [statement('Allow', '*', { Action: '*' })]],
    [403, 'nothing', [statement('Allow', '*', { Action: 's3:GetObject' })]],
    [403, 'another verb', [statement('Allow', api('dev/POST/*'))]],
    [403, 'another path', [statement('Allow', api('dev/GET/objects/b'))]],
    [403, 'the path of the resource, which is not the ARN', [statement('Allow', api('dev/GET/objects/{key+}'))]],
    [403, 'another stage', [statement('Allow', api('prod/*'))]],
    [403, 'another API', [statement('Allow', 'arn:aws:execute-api:us-east-1:000000000000:other/*')]],
    [403, 'managing connections', [statement('Allow', '*', { Action: 'execute-api:ManageConnections' })]],
    [403, 'all but what it denies', [statement('Allow', '*'), statement('Deny', api('*/GET/objects/a'))]],
  ])('%i when they allow %s', async (status, _what, statements) => {
    expect((await callWith(statements, '/objects/a')).status).toBe(status);
  });

  test('encoded as the path was sent', async () => {
    const statements = [statement('Allow', api('dev/GET/objects/a%20b'))];
    expect((await callWith(statements, '/objects/a%20b')).status).toBe(200);
    expect((await callWith(statements, '/objects/a%2520b')).status).toBe(403);
  });

  test('and by what the request says of its transport', async () => {
    const statements = [statement('Allow', '*'), statement('Deny', '*', { Condition: { Bool: { 'aws:SecureTransport': 'false' } } })];
    expect((await callWith(statements, '/objects/a')).status).toBe(200);
    expect((await callWith(statements, '/objects/a', { 'x-sandbox-insecure': '1' })).status).toBe(403);
  });

  test('anew for each request', async () => {
    const allowed = [statement('Allow', '*')];
    expect((await callWith(allowed, '/objects/a')).status).toBe(200);
    expect((await callWith([statement('Deny', '*')], '/objects/a')).status).toBe(403);
    expect((await callWith(allowed, '/objects/a')).status).toBe(200);
  });
});

describe('a refusal', () => {
  const WHO = 'User: arn:aws:sts::000000000000:assumed-role/caller/worker is not authorized to perform: execute-api:Invoke';
  const WHAT = 'on resource: arn:aws:execute-api:us-east-1:********0000:api1234567/dev/GET/objects/a';

  test.each([
    ['because no identity-based policy allows the execute-api:Invoke action', []],
    ['with an explicit deny in an identity-based policy', [statement('Deny', '*')]],
  ])('says who may not do what, %s, and hides whose API it is', async (why, more) => {
    const reply = await callWith([statement('Allow', '*', { Action: 's3:*' }), ...more], '/objects/a');
    expect([reply.status, reply.headers['x-amzn-errortype']]).toEqual([403, 'AccessDeniedException']);
    expect(JSON.parse(reply.body.toString())).toEqual({ Message: `${WHO} ${WHAT} ${why}` });
  });

  test('has the shape that the template gives it', async () => {
    await callWith([statement('Deny', '*')], '/objects/a');
    const templates = { 'application/json': '{"detail":$context.error.messageString,"type":"$context.error.responseType"}' };
    const gatewayResponses = { DEFAULT_4XX: { statusCode: null, headers: {}, templates } };
    gateway.deploy([method('GET', '/objects/a', { authorization: { type: 'AWS_IAM' } })], { gatewayResponses });
    const keys = gateway.bench.credentials.issueForRole('caller', {
      roleArn: 'arn:aws:iam::000000000000:role/caller',
      sessionName: 'worker',
    });
    const reply = await send(gateway, await sign(gateway, keys, '/objects/a'));
    expect(JSON.parse(reply.body.toString())).toMatchObject({ type: 'ACCESS_DENIED', detail: expect.stringContaining(WHO) });
  });

  test('meets the session of a role that was deleted', async () => {
    expect((await callWith([statement('Allow', '*')], '/objects/a')).status).toBe(200);
    const { access, credentials } = gateway.bench;
    access.deleteRole('caller');
    const keys = credentials.issueForRole('caller', { roleArn: 'arn:aws:iam::000000000000:role/caller', sessionName: 'worker' });
    expect((await send(gateway, await sign(gateway, keys, '/objects/a'))).status).toBe(403);
  });

  test('meets a session that ended', async () => {
    const { access, credentials } = gateway.bench;
    const { arn } = access.putRole('caller', TRUST, { rights: { Version: '2012-10-17', Statement: [statement('Allow', '*')] } });
    const { credential, revoke } = credentials.issueForEnvironment({ roleArn: arn, sessionName: 'worker' });
    gateway.deploy([method('GET', '/objects/a', { authorization: { type: 'AWS_IAM' } })]);
    expect((await send(gateway, await sign(gateway, credential, '/objects/a'))).status).toBe(200);
    revoke();
    const reply = await send(gateway, await sign(gateway, credential, '/objects/a'));
    expect(JSON.parse(reply.body.toString())).toEqual({ message: 'The security token included in the request is invalid.' });
  });
});
