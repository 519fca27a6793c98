import { Agent, createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAccess } from '../../../sandbox/iam/access.ts';
import { openKms } from '../../../sandbox/kms/kms.ts';
import { openSqs } from '../../../sandbox/sqs/sqs.ts';
import { createSts } from '../../../sandbox/sts/sts.ts';
import { createEcho } from './echo.ts';
import { type SandboxServer, startSandbox } from './sandbox-server.ts';

const ROLE = { roleArn: 'arn:aws:iam::000000000000:role/app/encrypt', sessionName: 'encrypt-1' };
const MINUTE_MS = 60_000;
const object = { Bucket: 'bucket', Key: 'key' };

let sandbox: SandboxServer;
let echo: ReturnType<typeof createEcho>;
let health: ReturnType<typeof createEcho>;
let clients: { destroy(): void }[] = [];

beforeAll(async () => {
  echo = createEcho();
  health = createEcho();
  sandbox = await startSandbox((state) => {
    const sqs = openSqs(state);
    const services = { s3: echo, kms: openKms(state), sts: createSts(openAccess(state).judge), sqs };
    return { services, local: { '/_sandbox/health': health }, close: async () => sqs.close() };
  });
});
beforeEach(() => {
  echo.seen.length = 0;
  health.seen.length = 0;
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
  expect(sandbox.defects.splice(0)).toEqual([]);
});
afterAll(() => sandbox.close());

type Override = Record<string, unknown>;

function s3(override: Override = {}): S3Client {
  const client = new S3Client({ ...sandbox.client, forcePathStyle: true, ...override });
  clients.push(client);
  return client;
}

function kms(override: Override = {}): KMSClient {
  const client = new KMSClient({ ...sandbox.client, ...override });
  clients.push(client);
  return client;
}

function sts(override: Override = {}): STSClient {
  const client = new STSClient({ ...sandbox.client, ...override });
  clients.push(client);
  return client;
}

/** Changes the request after it was signed. */
function tampering<Client extends S3Client | KMSClient>(
  client: Client,
  change: (request: { body: unknown; headers: Record<string, string> }) => void,
): Client {
  const stack: { add(middleware: unknown, options: unknown): void } = client.middlewareStack;
  const middleware = (next: (args: unknown) => unknown) => (args: { request: { body: unknown; headers: Record<string, string> } }) => {
    change(args.request);
    return next(args);
  };
  stack.add(middleware, { step: 'deserialize', priority: 'low' });
  return client;
}

describe('what arrives at a service', () => {
  test.each(['plain.txt', 'a b+c=d&e?f#g%h', "é/ü/日本語/💾/(1)!*'~", 'a//b/./c/../d', '100%/%2F'])(
    'is the key %s as the SDK encodes it, once signed',
    async (Key) => {
      await s3().send(new GetObjectCommand({ Bucket: 'bucket', Key }));
      const { rawPath, principal } = echo.seen[0]?.request ?? {};
      expect(decodeURIComponent(rawPath ?? '')).toBe(`/bucket/${Key}`);
      expect(principal?.arn).toBe('arn:aws:iam::000000000000:user/administrator');
    },
  );

  test('is the query, with names and values decoded', async () => {
    await s3().send(new GetObjectCommand({ ...object, ResponseContentType: 'a/b; c="+ &="', VersionId: 'v/1' }));
    const { query } = echo.seen[0]?.request ?? {};
    expect([query?.get('response-content-type'), query?.get('versionId')]).toEqual(['a/b; c="+ &="', 'v/1']);
  });

  test('is a body of known hash, with its length', async () => {
    await s3().send(new PutObjectCommand({ ...object, Body: 'hello' }));
    expect(echo.seen[0]?.body.toString()).toBe('hello');
    expect(echo.seen[0]?.request.contentLength).toBe(5);
  });

  test('is a stream without its aws-chunked framing, its trailer beside it', async () => {
    const Body = Readable.from([Buffer.alloc(20_000, 1), Buffer.alloc(20_000, 2), Buffer.from('end')]);
    await s3().send(new PutObjectCommand({ ...object, Body, ContentLength: 40_003, ContentEncoding: 'gzip' }));
    const { request, body } = echo.seen[0] ?? {};
    expect(body?.length).toBe(40_003);
    expect(request?.contentLength).toBe(40_003);
    expect(request?.trailers).toEqual({ 'x-amz-checksum-crc32': expect.stringMatching(/^.{6}==$/) });
    expect(request?.headers['content-encoding']).toBe('gzip');
  });

  test('is unsigned as nobody', async () => {
    const response = await fetch(`${sandbox.url}/bucket/key`);
    expect(response.status).toBe(200);
    expect(echo.seen[0]?.request).toMatchObject({ principal: null, signature: null });
  });

  test('counts as TLS unless the request says otherwise', async () => {
    await fetch(`${sandbox.url}/bucket/key`);
    await fetch(`${sandbox.url}/bucket/key`, { headers: { 'x-sandbox-insecure': '1' } });
    expect(echo.seen.map(({ request }) => request.secure)).toEqual([true, false]);
  });

  test('carries a request id that the answer repeats', async () => {
    const answer = await s3().send(new HeadObjectCommand(object));
    expect(answer.$metadata.requestId).toBe(echo.seen[0]?.request.requestId);
  });
});

describe('a signature', () => {
  test('by another secret is SignatureDoesNotMatch for S3, InvalidSignatureException for a JSON service', async () => {
    const credentials = { ...sandbox.client.credentials, secretAccessKey: 'wrong' };
    await expect(s3({ credentials }).send(new GetObjectCommand(object))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
    await expect(kms({ credentials }).send(new ListKeysCommand({}))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(sts({ credentials }).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    expect(echo.seen).toHaveLength(0);
  });

  test('by an unknown access key has each protocol’s own code', async () => {
    const credentials = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' };
    await expect(s3({ credentials }).send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
    await expect(kms({ credentials }).send(new ListKeysCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(sts({ credentials }).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });

  test.each([
    [-14, true],
    [-16, false],
    [14, true],
    [16, false],
  ])('%i minutes away from our clock is accepted: %s', async (minutes, accepted) => {
    const client = s3({ systemClockOffset: minutes * MINUTE_MS });
    const answer = client.send(new HeadObjectCommand(object));
    if (accepted) await expect(answer).resolves.toBeDefined();
    else await expect(answer).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const other = kms({ systemClockOffset: minutes * MINUTE_MS }).send(new ListKeysCommand({}));
    if (accepted) await expect(other).resolves.toBeDefined();
    else
      await expect(other).rejects.toMatchObject({
        message: expect.stringMatching(minutes < 0 ? /^Signature expired: / : /^Signature not yet current: /),
      });
  });

  test('that is too old is RequestTimeTooSkewed for S3', async () => {
    const answer = s3({ systemClockOffset: -16 * MINUTE_MS }).send(new GetObjectCommand(object));
    await expect(answer).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
  });

  test('for another Region says which one is right', async () => {
    const answer = s3({ region: 'eu-west-1' }).send(new GetObjectCommand(object));
    await expect(answer).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed', Region: 'us-east-1' });
    await expect(kms({ region: 'eu-west-1' }).send(new ListKeysCommand({}))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  test('does not cover a header that was changed on the way', async () => {
    const client = tampering(s3(), ({ headers }) => {
      headers['x-amz-meta-a'] = '2';
    });
    const put = new PutObjectCommand({ ...object, Body: 'x', Metadata: { a: '1' } });
    await expect(client.send(put)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  test('must cover every x-amz- header', async () => {
    const client = tampering(s3(), ({ headers }) => {
      headers['x-amz-tagging'] = 'a=b';
    });
    await expect(client.send(new PutObjectCommand({ ...object, Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      HeadersNotSigned: 'x-amz-tagging',
    });
  });

  test('does not repeat secrets of the request in its refusal', async () => {
    const SSECustomerKey = Buffer.alloc(32, 7).toString('base64');
    const credentials = { ...sandbox.client.credentials, secretAccessKey: 'wrong' };
    const error: unknown = await s3({ credentials, tls: false })
      .send(new GetObjectCommand({ ...object, SSECustomerKey, SSECustomerAlgorithm: 'AES256' }))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'SignatureDoesNotMatch' });
    expect(JSON.stringify(error)).not.toContain(SSECustomerKey);
  });

  test('of SigV2 is refused', async () => {
    expect((await fetch(`${sandbox.url}/b/k`, { headers: { authorization: 'AWS AKID:abc=' } })).status).toBe(400);
  });

  test.each([
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0',
    'AWS4-HMAC-SHA256 Credential=AKIA/20261120/us-east-1/s3/aws4_request, Signature=0',
  ])('that cannot be read (%s) is 400', async (authorization) => {
    const response = await fetch(`${sandbox.url}/b/k`, { headers: { authorization } });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>AuthorizationHeaderMalformed</Code>');
  });

  test('is missing where a JSON service needs one', async () => {
    const response = await fetch(sandbox.url, { method: 'POST', headers: { 'x-amz-target': 'TrentService.ListKeys' }, body: '{}' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });
});

describe('a temporary credential', () => {
  test('is its role’s, and needs its token', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = sandbox.credentials.issueForRole('encrypt', ROLE);
    const good = { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? '' };
    expect(await sts({ credentials: good }).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '000000000000',
      Arn: 'arn:aws:sts::000000000000:assumed-role/encrypt/encrypt-1',
      UserId: expect.stringMatching(/^AROA[A-Z2-7]{17}:encrypt-1$/),
    });
    const wrong = { ...good, sessionToken: `${good.sessionToken}x` };
    await expect(s3({ credentials: wrong }).send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'InvalidToken' });
    await expect(kms({ credentials: wrong }).send(new ListKeysCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    const without = { accessKeyId, secretAccessKey };
    await expect(s3({ credentials: without }).send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  });

  test('cannot lend its token to the administrator', async () => {
    const { sessionToken } = sandbox.credentials.issueForRole('encrypt', ROLE);
    const credentials = { ...sandbox.client.credentials, sessionToken: sessionToken ?? '' };
    await expect(s3({ credentials }).send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});

describe('a payload', () => {
  test('that was changed on the way is XAmzContentSHA256Mismatch for S3', async () => {
    const client = tampering(s3({ requestChecksumCalculation: 'WHEN_REQUIRED' }), (request) => {
      request.body = Buffer.from('HELLO');
    });
    await expect(client.send(new PutObjectCommand({ ...object, Body: Buffer.from('hello') }))).rejects.toMatchObject({
      name: 'XAmzContentSHA256Mismatch',
      $metadata: { httpStatusCode: 400 },
    });
    expect(echo.seen).toHaveLength(0);
  });

  test('that was changed on the way never reaches a JSON service', async () => {
    const client = tampering(kms(), (request) => {
      request.body = '{"Limit":2}';
      Object.assign(request.headers, { 'content-length': '11' });
    });
    await expect(client.send(new ListKeysCommand({ Limit: 1 }))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  test('that was added to a request without one is refused', async () => {
    const client = tampering(s3(), (request) => {
      request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
    });
    await expect(client.send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  test('of 100 MB that is refused does not keep the connection from the next request', async () => {
    const credentials = { ...sandbox.client.credentials, secretAccessKey: 'wrong' };
    const refused = s3({ credentials }).send(new PutObjectCommand({ ...object, Body: Buffer.alloc(100 * 1024 * 1024) }));
    await expect(refused).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    await expect(s3().send(new HeadObjectCommand(object))).resolves.toBeDefined();
  });

  test('that a service did not care to read does not keep the connection from the next request', async () => {
    sandbox.local['/_sandbox/careless'] = {
      async handle(_request, response) {
        response.writeHead(403, { 'content-length': 0 }).end();
      },
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const put = (body: Buffer) =>
      new Promise<number | undefined>((resolve, reject) => {
        const outgoing = httpRequest(`${sandbox.url}/_sandbox/careless`, { method: 'PUT', agent, timeout: 3000 }, (incoming) => {
          incoming.resume().on('end', () => resolve(incoming.statusCode));
        });
        outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error('the connection is stuck')));
        outgoing.end(body);
      });
    expect(await put(Buffer.alloc(20 * 1024 * 1024))).toBe(403);
    expect(await put(Buffer.alloc(1))).toBe(403);
    agent.destroy();
  });

  test('of a JSON service whose client goes away in the middle is nobody’s defect', async () => {
    const client = tampering(kms(), (request) => {
      request.body = Readable.from(
        (async function* neverEnding() {
          yield '{';
          await new Promise(() => {});
        })(),
      );
      Object.assign(request.headers, { 'content-length': '100' });
    });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await expect(client.send(new ListKeysCommand({}), { abortSignal: abort.signal })).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sandbox.defects).toEqual([]);
  });

  test('whose client goes away in the middle ends with an error, not with a hang', async () => {
    const ended = new Promise<Error>((resolve) => {
      sandbox.local['/_sandbox/aborted'] = {
        async handle(request) {
          request.body.on('error', resolve).resume();
        },
      };
    });
    const outgoing = httpRequest(`${sandbox.url}/_sandbox/aborted`, { method: 'PUT', headers: { 'content-length': 1000 } });
    outgoing.on('error', () => {});
    outgoing.write('some', () => outgoing.destroy());
    expect(await ended).toMatchObject({ code: 'IncompleteBody' });
  });
});

describe('the server', () => {
  test('answers Expect: 100-continue and then takes the body', async () => {
    const client = s3({ expectContinueHeader: true });
    await client.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(3_000_000, 'x') }));
    expect(echo.seen[0]?.request.headers.expect).toBe('100-continue');
    expect(echo.seen[0]?.body).toHaveLength(3_000_000);
  });

  test('refuses before it says 100 Continue', async () => {
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.write('PUT /b/k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\nAuthorization: AWS nobody:0\r\n\r\n');
    const [first] = (await Readable.from(socket).take(1).toArray()) as Buffer[];
    expect(first?.toString()).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });

  test('answers 501 in the shape of the protocol for a service that it does not have', async () => {
    const { SecretsManagerClient, ListSecretsCommand } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient(sandbox.client);
    clients.push(client);
    await expect(client.send(new ListSecretsCommand({}))).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
  });

  test('hands unsigned paths below a prefix to what is local, and nothing else', async () => {
    expect((await fetch(`${sandbox.url}/_sandbox/health`)).status).toBe(200);
    expect((await fetch(`${sandbox.url}/_sandbox/healthy`)).status).toBe(404);
    expect((await fetch(`${sandbox.url}/_sandbox/other`)).status).toBe(404);
    expect(echo.seen).toHaveLength(0);
  });

  test('speaks the query protocol to STS, and knows no other operation of it', async () => {
    const { GetSessionTokenCommand } = await import('@aws-sdk/client-sts');
    await expect(sts().send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
  });

  test('refuses an unknown key of SQS as of any JSON service', async () => {
    const client = new SQSClient({ ...sandbox.client, credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } });
    clients.push(client);
    await expect(client.send(new ListQueuesCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  test('turns a defect of a service into a 500 without its message', async () => {
    sandbox.local['/_sandbox/defect'] = { handle: () => Promise.reject(new Error('a secret')) };
    const response = await fetch(`${sandbox.url}/_sandbox/defect`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(sandbox.defects.splice(0)).toHaveLength(1);
  });

  test('closes at once, idle and busy connections alike', async () => {
    const hanging = { handle: () => new Promise<never>(() => {}) };
    await using other = await startSandbox(() => ({ services: { s3: hanging } }));
    const pending = fetch(other.url).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const started = performance.now();
    await other.close();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await pending).toBeInstanceOf(Error);
  });

  test('refuses a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { createAwsServer } = await import('../../../sandbox/wire/server.ts');
    const server = createAwsServer({ services: {}, credentials: sandbox.credentials });
    const address = taken.address();
    await expect(server.listen(typeof address === 'object' && address ? address.port : 0)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await server.close();
    await new Promise((resolve) => taken.close(resolve));
  });

  test('lets CopyObject through with its headers', async () => {
    await s3().send(new CopyObjectCommand({ ...object, CopySource: 'from/a%20b' }));
    expect(echo.seen[0]?.request).toMatchObject({ method: 'PUT', contentLength: 0, headers: { 'x-amz-copy-source': 'from/a%20b' } });
  });
});
