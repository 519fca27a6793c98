import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Credential } from '../../../sandbox/wire/credentials.ts';
import { type Gateway, method, openGateway, type Reply } from './gateway.ts';
import { type SignedRequest, type SignOptions, send, sign } from './signer.ts';

const run = promisify(execFile);
const SECURED = { authorization: { type: 'AWS_IAM' } } as const;
/** Signatures are of whole seconds. */
const NOW = Math.floor(Date.now() / 1000) * 1000;
const MINUTE = 60_000;

let gateway: Gateway;
let administrator: Credential;
let session: Credential;

beforeAll(async () => {
  gateway = await openGateway({ now: () => NOW });
  await gateway.bench.deploy('fn', 'export const handler = async (event) => { return { statusCode: 200, body: JSON.stringify(event) }; };');
  gateway.deploy([method('GET', '/objects', SECURED), method('ANY', '/objects/{key+}', SECURED)]);
  const { access, credentials } = gateway.bench;
  administrator = credentials.administrator();
  const rights = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }] };
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  const { arn } = access.putRole('caller', trust, { rights });
  session = credentials.issueForRole('caller', { roleArn: arn, sessionName: 'worker' });
});
afterAll(() => gateway.close());

const call = async (target: string, options: SignOptions = {}, keys = administrator) =>
  send(gateway, await sign(gateway, keys, target, options));
const eventOf = ({ body }: Reply) => JSON.parse(body.toString());
const messageOf = ({ body }: Reply) => JSON.parse(body.toString()).message;

describe('a signed request', () => {
  test('of the administrator tells the function who calls', async () => {
    const { requestContext, headers } = eventOf(await call('/objects'));
    expect(requestContext.identity).toMatchObject({
      accessKey: administrator.accessKeyId,
      accountId: '000000000000',
      caller: administrator.principal.userId,
      principalOrgId: null,
      user: administrator.principal.userId,
      userArn: 'arn:aws:iam::000000000000:user/administrator',
    });
    expect(requestContext.identity.caller).toMatch(/^AIDA[A-Z2-7]{17}$/);
    expect(requestContext.authorizer).toBeUndefined();
    expect(Object.keys(headers).map((name) => name.toLowerCase())).toEqual(expect.arrayContaining(['host', 'x-amz-date']));
    expect(headers.authorization ?? headers.Authorization).toBeUndefined();
  });

  test("of a role's session names the session", async () => {
    const { identity } = eventOf(await call('/objects', {}, session)).requestContext;
    expect(identity).toMatchObject({
      accessKey: session.accessKeyId,
      userArn: 'arn:aws:sts::000000000000:assumed-role/caller/worker',
      caller: expect.stringMatching(/^AROA[A-Z2-7]{17}:worker$/),
    });
    expect(identity.user).toBe(identity.caller);
  });

  test.each(['a', 'a/b', 'a%20b', 'a%2Fb', 'a%252Fb', '%E2%82%AC', 'a+b', 'a@b=c', "a'b(c)*!", '100%25', 'a//b', 'a/', '%c3%a9'])(
    'may be for the key %s',
    async (key) => {
      const reply = await call(`/objects/${key}`);
      expect([reply.status, eventOf(reply).pathParameters]).toEqual([200, { key }]);
    },
  );

  test('may have a query in any order, with several values of a name', async () => {
    const reply = await call('/objects?prefix=a%2Fb%20c&limit=2&limit=1&empty=&%E2%82%AC=x');
    expect(eventOf(reply).multiValueQueryStringParameters).toEqual({ prefix: ['a/b c'], limit: ['2', '1'], empty: [''], '€': ['x'] });
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('may be a %s', async (verb) => {
    expect((await call('/objects/a', { method: verb })).status).toBe(200);
  });

  test('may have a body, of which the hash is signed', async () => {
    expect(eventOf(await call('/objects/a', { method: 'POST', body: '{"a":"ü"}' })).body).toBe('{"a":"ü"}');
    expect(eventOf(await call('/objects/a', { method: 'POST', body: Buffer.from([0, 255, 1]) })).isBase64Encoded).toBe(false);
  });

  test('may have headers x-amz-… that are not signed, as awscurl sends one and generated clients the token', async () => {
    const signed = await sign(gateway, administrator, '/objects', { headers: { 'x-own': 'a  b' } });
    signed.headers['x-amz-extra'] = 'unsigned';
    expect((await send(gateway, signed)).status).toBe(200);
    const { sessionToken, ...keys } = session;
    const withoutToken = await sign(gateway, keys, '/objects');
    withoutToken.headers['x-amz-security-token'] = sessionToken ?? '';
    expect((await send(gateway, withoutToken)).status).toBe(200);
  });

  test.each([-5 * MINUTE, 5 * MINUTE])('may be %i ms old', async (age) => {
    expect((await call('/objects', { date: new Date(NOW - age) })).status).toBe(200);
  });
});

describe('a request is refused', () => {
  const refused = (reply: Reply) => [reply.status, reply.headers['x-amzn-errortype']];
  const expectNoCall = async (ask: () => Promise<Reply>) => {
    const invoke = vi.spyOn(gateway.bench.functions, 'invoke');
    const reply = await ask();
    expect(invoke).not.toHaveBeenCalled();
    invoke.mockRestore();
    return reply;
  };

  test('without a signature', async () => {
    const reply = await expectNoCall(() => gateway.send('GET', '/objects'));
    expect(refused(reply)).toEqual([403, 'MissingAuthenticationTokenException']);
    expect(messageOf(reply)).toBe('Missing Authentication Token');
  });

  test.each([
    [
      'Bearer eyJhbGciOi',
      /^Invalid key=value pair \(missing equal-sign\) in Authorization header \(hashed with SHA-256 and encoded with Base64\): '[^']{44}'\.$/,
    ],
    [
      'Basic dXNlcjpwYXNz',
      /^Authorization header requires 'Credential' parameter\. .*'Signature' parameter\. .*'SignedHeaders' parameter\./,
    ],
    ['AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=0', /^Credential must have exactly 5 slash-delimited elements/],
  ])('with the Authorization %s, which is not repeated', async (authorization, message) => {
    const padded = authorization.startsWith('Basic') ? `${authorization}==` : authorization;
    const reply = await expectNoCall(() => gateway.send('GET', '/objects', { headers: { Authorization: padded } }));
    expect(refused(reply)).toEqual([403, 'IncompleteSignatureException']);
    expect(messageOf(reply)).toMatch(message);
    expect(messageOf(reply)).not.toContain(authorization.split(' ')[1]);
  });

  test('without a date', async () => {
    const signed = await sign(gateway, administrator, '/objects');
    delete signed.headers['x-amz-date'];
    const reply = await send(gateway, signed);
    expect(refused(reply)).toEqual([403, 'IncompleteSignatureException']);
    expect(messageOf(reply)).toContain("requires existence of either a 'X-Amz-Date' or a 'Date' header");
  });

  test.each<[string, SignOptions, string]>([
    ['another service', { service: 's3' }, "Credential should be scoped to correct service: 'execute-api'. "],
    ['another Region', { region: 'eu-west-1' }, "Credential should be scoped to a valid region, not 'eu-west-1'. "],
  ])('with a signature for %s', async (_what, options, message) => {
    const reply = await expectNoCall(() => call('/objects', options));
    expect(refused(reply)).toEqual([403, 'InvalidSignatureException']);
    expect(messageOf(reply)).toBe(message);
  });

  test('when its day is not the one of its scope', async () => {
    const signed = await sign(gateway, administrator, '/objects');
    signed.headers.authorization = signed.headers.authorization?.replace(/\/\d{8}\//, '/20150830/') ?? '';
    const reply = await send(gateway, signed);
    expect(refused(reply)).toEqual([403, 'InvalidSignatureException']);
    expect(messageOf(reply)).toMatch(/^Date in Credential scope does not match .*: '20150830' != '\d{8}', from '\d{8}T\d{6}Z'\.$/);
  });

  test('when its signature is older than five minutes, or younger than now', async () => {
    const old = await call('/objects', { date: new Date(NOW - 5 * MINUTE - 1000) });
    expect(refused(old)).toEqual([403, 'InvalidSignatureException']);
    expect(messageOf(old)).toMatch(/^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/);
    const early = await call('/objects', { date: new Date(NOW + 5 * MINUTE + 1000) });
    expect(messageOf(early)).toMatch(/^Signature not yet current: .* is still later than .* \(.* \+ 5 min\.\)$/);
  });

  const changes: [string, (signed: SignedRequest) => void][] = [
    ['the path', (signed) => Object.assign(signed, { path: '/objects/b?x=1' })],
    ['the encoding of the path', (signed) => Object.assign(signed, { path: '/objects/%61?x=1' })],
    ['the query', (signed) => Object.assign(signed, { path: '/objects/a?x=2' })],
    ['the verb', (signed) => Object.assign(signed, { method: 'PUT' })],
    ['a signed header', ({ headers }) => Object.assign(headers, { 'x-own': 'other' })],
    ['the body', (signed) => Object.assign(signed, { body: 'other' })],
    [
      'the signature',
      ({ headers }) =>
        Object.assign(headers, { authorization: headers.authorization?.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
    ],
    ['the length of the signature', ({ headers }) => Object.assign(headers, { authorization: headers.authorization?.slice(0, -1) })],
  ];
  test.each(changes)('when %s is not what was signed', async (_what, change) => {
    const signed = await sign(gateway, administrator, '/objects/a?x=1', { method: 'POST', body: 'body', headers: { 'x-own': 'own' } });
    expect((await send(gateway, signed)).status).toBe(200);
    change(signed);
    const reply = await expectNoCall(() => send(gateway, signed));
    expect(refused(reply)).toEqual([403, 'InvalidSignatureException']);
    expect(messageOf(reply)).toMatch(/^The request signature we calculated does not match the signature you provided\./);
  });

  test('when its payload is unsigned, as S3 alone takes it', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect(refused(await call('/objects/a', { method: 'POST', body: 'x', headers }))).toEqual([403, 'InvalidSignatureException']);
  });

  test('when the host is not signed', async () => {
    const signed = await sign(gateway, administrator, '/objects');
    signed.headers.authorization = signed.headers.authorization?.replace('SignedHeaders=host;', 'SignedHeaders=') ?? '';
    expect(messageOf(await send(gateway, signed))).toBe("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  });

  test.each<[string, () => { accessKeyId: string; secretAccessKey: string; sessionToken?: string | null }]>([
    ['an access key that nobody has', () => ({ accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' })],
    ["a session's key without its token", () => ({ accessKeyId: session.accessKeyId, secretAccessKey: session.secretAccessKey })],
    ["a session's key with another token", () => ({ ...session, sessionToken: 'other' })],
    ["the administrator's key with a token", () => ({ ...administrator, sessionToken: 'token' })],
  ])('with %s', async (_what, keys) => {
    const reply = await expectNoCall(async () => send(gateway, await sign(gateway, keys(), '/objects')));
    expect(refused(reply)).toEqual([403, 'AccessDeniedException']);
    expect(messageOf(reply)).toBe('The security token included in the request is invalid.');
  });

  test('with the wrong secret', async () => {
    const reply = await expectNoCall(async () =>
      send(gateway, await sign(gateway, { ...administrator, secretAccessKey: 'wrong' }, '/objects')),
    );
    expect(refused(reply)).toEqual([403, 'InvalidSignatureException']);
  });

  test('with a body above 10 MB before anybody asks whose it is', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    expect((await call('/objects/a', { method: 'POST', body })).status).toBe(413);
  });

  test.each<[string, string, Record<string, string>]>([
    ['in the query', '/objects?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0', {}],
    ['of version 4A', '/objects', { Authorization: 'AWS4-ECDSA-P256-SHA256 Credential=a' }],
  ])('501 with a signature %s, which the sandbox does not check', async (_what, path, headers) => {
    const reply = await expectNoCall(() => gateway.send('GET', path, { headers }));
    expect(reply.status).toBe(501);
  });
});

describe("the template's gateway responses", () => {
  const typed = { statusCode: null, headers: {}, templates: { 'application/json': '{"type":"$context.error.responseType"}' } };
  const typeOf = ({ body }: Reply) => JSON.parse(body.toString()).type;

  test('shape the refusals by type', async () => {
    const gatewayResponses = { DEFAULT_4XX: typed, MISSING_AUTHENTICATION_TOKEN: { ...typed, statusCode: 404 } };
    gateway.deploy([method('GET', '/objects', SECURED)], { gatewayResponses });
    const missing = await gateway.send('GET', '/objects');
    expect([missing.status, typeOf(missing)]).toEqual([404, 'MISSING_AUTHENTICATION_TOKEN']);
    const wrong = await send(gateway, await sign(gateway, { ...administrator, secretAccessKey: 'wrong' }, '/objects'));
    expect([wrong.status, typeOf(wrong)]).toEqual([403, 'INVALID_SIGNATURE']);
    expect(typeOf(await call('/objects', { date: new Date(NOW - 6 * MINUTE) }))).toBe('EXPIRED_TOKEN');
    expect(typeOf(await send(gateway, await sign(gateway, { ...administrator, accessKeyId: 'AKIAOTHER' }, '/objects')))).toBe(
      'ACCESS_DENIED',
    );
  });
});

describe.runIf(spawnSync('curl', ['--version']).status === 0)('curl --aws-sigv4', () => {
  const curl = async ({ accessKeyId, secretAccessKey, sessionToken }: Credential, path: string, ...more: string[]) => {
    const token = sessionToken === null ? [] : ['-H', `x-amz-security-token: ${sessionToken}`];
    const signing = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', `${accessKeyId}:${secretAccessKey}`];
    const { stdout } = await run('curl', ['-sS', ...signing, ...token, ...more, `${gateway.url}${path}`]);
    return JSON.parse(stdout);
  };

  test('calls as the administrator and as a session, with a body too', async () => {
    gateway.deploy([method('ANY', '/objects/{key+}', SECURED)]);
    expect((await curl(administrator, '/objects/a/b.txt')).requestContext.identity.userArn).toBe(administrator.principal.arn);
    expect((await curl(session, '/objects/a.txt?limit=1')).requestContext.identity.userArn).toBe(session.principal.arn);
    const body = createHash('sha256').update('body').digest('hex');
    expect((await curl(administrator, '/objects/a', '-d', body)).body).toBe(body);
    expect(await curl({ ...administrator, secretAccessKey: 'wrong' }, '/objects/a')).toEqual({
      message: expect.stringMatching(/does not match/),
    });
  });
});
