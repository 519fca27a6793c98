/** Presigned URLs of S3, as the SDK makes them and as it would not. */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEcho } from './echo.ts';
import { type Answer, type ByHand, presignByHand, send, withParameter } from './presigned-url.ts';
import { type SandboxServer, startSandbox } from './sandbox-server.ts';

const ROLE = { roleArn: 'arn:aws:iam::000000000000:role/app/download', sessionName: 'download-1' };
const MINUTE_MS = 60_000;
const WEEK_SECONDS = 604_800;
const object = { Bucket: 'bucket', Key: 'key' };

let sandbox: SandboxServer;
let echo: ReturnType<typeof createEcho>;
let clients: S3Client[] = [];

beforeAll(async () => {
  echo = createEcho();
  sandbox = await startSandbox(() => ({ services: { s3: echo, sts: echo } }));
});
beforeEach(() => {
  echo.seen.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  for (const client of clients) client.destroy();
  clients = [];
  expect(sandbox.defects.splice(0)).toEqual([]);
});
afterAll(() => sandbox.close());

type Command = GetObjectCommand | HeadObjectCommand | PutObjectCommand;
type Options = Parameters<typeof getSignedUrl>[2];

function presign(command: Command, options: Options = {}, config: S3ClientConfig = {}): Promise<string> {
  const client = new S3Client({ ...sandbox.client, forcePathStyle: true, ...config });
  clients.push(client);
  return getSignedUrl(client, command as GetObjectCommand, options);
}

const presignGet = (options: Options = {}, config: S3ClientConfig = {}) => presign(new GetObjectCommand(object), options, config);
const byHand = (more: Partial<ByHand> = {}) => presignByHand({ url: sandbox.url, credentials: sandbox.client.credentials, ...more });
const refusal = ({ status, element }: Answer) => [`${status} ${element('Code')}`, element('Message')];
const seen = () => echo.seen[0]?.request;

describe('what arrives at S3 by a presigned URL', () => {
  test.each(['plain.txt', 'a b+c=d&e?f#g%h', "é/ü/日本語/💾/(1)!*'~", 'a//b/./c/../d', '100%/%2F'])('is the key %s', async (Key) => {
    const { status } = await send(await presign(new GetObjectCommand({ Bucket: 'bucket', Key })));
    expect([status, decodeURIComponent(seen()?.rawPath ?? '')]).toEqual([200, `/bucket/${Key}`]);
  });

  test('is its signer, and that it was signed in the query', async () => {
    const signedAt = Math.floor(Date.now() / 1000) * 1000;
    await fetch(await presignGet());
    expect(seen()?.principal?.arn).toBe('arn:aws:iam::000000000000:user/administrator');
    expect(seen()?.signature).toEqual({ by: 'query', signedAt: expect.toSatisfy((at: number) => at >= signedAt && at <= Date.now()) });
  });

  test('is the query without its authentication', async () => {
    const command = new GetObjectCommand({ ...object, VersionId: 'v/1', ResponseContentDisposition: 'attachment; filename="a+b &.txt"' });
    await fetch(await presign(command));
    expect(Object.fromEntries(seen()?.query ?? [])).toEqual({
      'x-id': 'GetObject',
      versionId: 'v/1',
      'response-content-disposition': 'attachment; filename="a+b &.txt"',
    });
  });

  test('is any body of a PUT, with its length', async () => {
    const url = await presign(new PutObjectCommand(object));
    const { status } = await fetch(url, { method: 'PUT', body: 'whatever' });
    expect([status, echo.seen[0]?.body.toString(), seen()?.contentLength]).toEqual([200, 'whatever', 8]);
  });

  test('is the metadata that the SDK puts into the query, as headers', async () => {
    const command = new PutObjectCommand({ ...object, Metadata: { a: '1', b: 'é' }, StorageClass: 'STANDARD_IA', Tagging: 'a=b' });
    const url = await presign(command);
    expect(url).toContain('x-amz-meta-a=1');
    await send(url, 'PUT');
    expect(seen()?.headers).toMatchObject({
      'x-amz-meta-a': '1',
      'x-amz-meta-b': Buffer.from('é').toString('latin1'),
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-tagging': 'a=b',
    });
    expect([...(seen()?.query.keys() ?? [])]).toEqual(['x-id']);
  });

  test('is no checksum that the SDK puts into the query before it knows the bytes', async () => {
    const url = await presign(new PutObjectCommand(object));
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
    await send(url, 'PUT', {}, 'other bytes');
    const ofChecksum = Object.keys(seen()?.headers ?? {}).filter((name) => name.includes('checksum'));
    expect([ofChecksum, [...(seen()?.query.keys() ?? [])]]).toEqual([[], ['x-id']]);
  });

  test('is a condition in the query, as a header', async () => {
    await send(byHand({ method: 'PUT', parameters: { 'If-None-Match': '*' } }), 'PUT');
    expect([seen()?.headers['if-none-match'], seen()?.query.size]).toEqual(['*', 0]);
  });

  test('is a signed header whose value stands in the query', async () => {
    const name = 'x-amz-server-side-encryption';
    const url = byHand({ method: 'PUT', parameters: { [name]: 'AES256' }, headers: { [name]: 'AES256' } });
    for (const headers of [{}, { [name]: 'AES256' }]) {
      echo.seen.length = 0;
      expect((await send(url, 'PUT', headers)).status).toBe(200);
      expect([seen()?.headers[name], seen()?.query.size]).toEqual(['AES256', 0]);
    }
    expect((await send(url, 'PUT', { [name]: 'aws:kms' })).element('Code')).toBe('SignatureDoesNotMatch');
  });

  test('is encryption that is not signed as header still in the query, where it will be unknown', async () => {
    await send(byHand({ method: 'PUT', parameters: { 'x-amz-server-side-encryption': 'aws:kms' } }), 'PUT');
    expect(seen()?.query.get('x-amz-server-side-encryption')).toBe('aws:kms');
    expect(seen()?.headers).not.toHaveProperty('x-amz-server-side-encryption');
  });
});

describe('a presigned URL is good for nothing but', () => {
  test('its method', async () => {
    const url = await presignGet();
    for (const method of ['PUT', 'HEAD', 'DELETE']) expect((await send(url, method)).status).toBe(403);
    expect(refusal(await send(url, 'PUT'))[0]).toBe('403 SignatureDoesNotMatch');
    expect((await send(await presign(new HeadObjectCommand(object)), 'HEAD')).status).toBe(200);
  });

  test.each([
    ['its key', (url: string) => url.replace('/bucket/key', '/bucket/other')],
    ['its parameters', (url: string) => withParameter(url, 'versionId', '1')],
    ['its life', (url: string) => withParameter(url, 'X-Amz-Expires', '901')],
    ['its signature', (url: string) => withParameter(url, 'X-Amz-Signature', '0'.repeat(64))],
    ['its signed headers', (url: string) => withParameter(url, 'X-Amz-SignedHeaders', 'host;range')],
  ])('%s', async (_, change) => {
    const answer = await send(change(await presignGet()));
    expect(refusal(answer)).toEqual([
      '403 SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    ]);
    expect(answer.element('AWSAccessKeyId')).toBe(sandbox.client.credentials.accessKeyId);
    expect(answer.element('StringToSign')).toMatch(/^AWS4-HMAC-SHA256\n\d{8}T\d{6}Z\n\d{8}\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/);
    expect(answer.element('SignatureProvided')).toMatch(/^[0-9a-f]{64}$/);
    expect(echo.seen).toHaveLength(0);
  });

  test('the server it was made for', async () => {
    const answer = await send(await presignGet(), 'GET', { host: 'elsewhere:80' });
    expect(answer.element('Code')).toBe('SignatureDoesNotMatch');
  });

  test('the values of its signed headers', async () => {
    const url = await presign(new GetObjectCommand({ ...object, Range: 'bytes=0-1' }));
    expect((await send(url, 'GET', { range: 'bytes=0-1' })).status).toBe(200);
    expect((await send(url, 'GET', { range: 'bytes=0-2' })).element('Code')).toBe('SignatureDoesNotMatch');
    expect((await send(url)).element('Code')).toBe('SignatureDoesNotMatch');
  });
});

describe('headers that are not signed', () => {
  test('are the client’s own business', async () => {
    const headers = { range: 'bytes=0-1', 'if-none-match': '"0"', 'content-type': 'text/plain', 'user-agent': 'x' };
    expect((await send(await presignGet(), 'GET', headers)).status).toBe(200);
    expect(seen()?.headers).toMatchObject(headers);
  });

  test('are refused by name where they begin with x-amz-', async () => {
    const url = await presign(new PutObjectCommand(object));
    const answer = await send(url, 'PUT', { 'x-amz-tagging': 'a=b', 'x-amz-meta-a': '1' });
    expect(refusal(answer)).toEqual(['403 AccessDenied', 'There were headers present in the request which were not signed']);
    expect(answer.element('HeadersNotSigned')).toBe('x-amz-tagging, x-amz-meta-a');
    expect(echo.seen).toHaveLength(0);
  });

  test('are refused before the signature is compared', async () => {
    const answer = await send(withParameter(await presignGet(), 'X-Amz-Signature', '0'), 'GET', { 'x-amz-expires': '5' });
    expect(answer.element('HeadersNotSigned')).toBe('x-amz-expires');
  });

  test('may not be the host', async () => {
    const answer = await send(byHand({ hostIsSigned: false }));
    expect([...refusal(answer), answer.element('HeadersNotSigned')]).toEqual([
      '403 AccessDenied',
      'There were headers present in the request which were not signed',
      'host',
    ]);
  });

  test('may be the hash of the payload, which is held to it', async () => {
    const url = await presign(new PutObjectCommand(object));
    const hash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect((await send(url, 'PUT', { 'x-amz-content-sha256': hash }, 'hello')).status).toBe(200);
    expect((await send(url, 'PUT', { 'x-amz-content-sha256': hash }, 'HELLO')).element('Code')).toBe('XAmzContentSHA256Mismatch');
  });
});

describe('a payload', () => {
  const payloadHash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

  test.each([
    ['in the query', { parameters: { 'X-Amz-Content-Sha256': payloadHash } }, {}],
    ['in a signed header', { headers: { 'x-amz-content-sha256': payloadHash } }, { 'x-amz-content-sha256': payloadHash }],
  ])('whose hash is signed %s is no other', async (_, signed, headers) => {
    const url = byHand({ method: 'PUT', payloadHash, ...signed });
    expect((await send(url, 'PUT', headers, 'hello')).status).toBe(200);
    expect((await send(url, 'PUT', headers, 'HELLO')).element('Code')).toBe('XAmzContentSHA256Mismatch');
  });

  test('in chunks is not implemented', async () => {
    const url = await presign(new PutObjectCommand(object));
    const answer = await send(url, 'PUT', { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, '0\r\n\r\n');
    expect(refusal(answer)[0]).toBe('501 NotImplemented');
  });
});

describe('the parameters', () => {
  const missing =
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';

  test.each(['Algorithm', 'Credential', 'Signature', 'Date', 'SignedHeaders', 'Expires'])('X-Amz-%s must be there', async (name) => {
    const answer = await send(withParameter(await presignGet(), `X-Amz-${name}`, null));
    expect(refusal(answer)).toEqual(['400 AuthorizationQueryParametersError', missing]);
  });

  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const malformed =
    'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
  const tooLong = 'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds';
  test.each([
    ['Algorithm', 'AWS4-SHA256', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'],
    ['Credential', 'access/hello/world', malformed],
    ['Credential', `AKIA%2F${today}%2Fus-east-1%2Fs3%2Faws4_request`, malformed],
    ['Credential', `AKIA/${today}/us-east-1/s3/aws5_request`, malformed],
    [
      'Credential',
      `AKIA/${today}/eu-west-1/s3/aws4_request`,
      "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
    ],
    [
      'Credential',
      'AKIA/20060102/us-east-1/s3/aws4_request',
      `Invalid credential date "20060102". This date is not the same as X-Amz-Date: "${today}".`,
    ],
    ['Date', 'Mon, 30 Nov 2026 00:00:00 GMT', `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`],
    ['Expires', 'a_week', 'X-Amz-Expires should be a number'],
    ['Expires', '1.5', 'X-Amz-Expires should be a number'],
    ['Expires', '', 'X-Amz-Expires should be a number'],
    ['Expires', '-1', 'X-Amz-Expires must be non-negative'],
    ['Expires', String(WEEK_SECONDS + 1), tooLong],
  ])('X-Amz-%s may not be %s', async (name, value, message) => {
    const answer = await send(withParameter(await presignGet(), `X-Amz-${name}`, value));
    expect(refusal(answer)).toEqual(['400 AuthorizationQueryParametersError', message]);
    expect(echo.seen).toHaveLength(0);
  });

  test('name the Region that is right', async () => {
    const answer = await send(await presignGet({}, { region: 'eu-west-1' }));
    expect([answer.status, answer.element('Region')]).toEqual([400, 'us-east-1']);
  });
});

describe('the life of a URL', () => {
  const signed = Date.UTC(2026, 10, 30, 12);
  const signingDate = new Date(signed);
  /** What it answers at that time, in milliseconds after it was signed. */
  async function answered(after: number, expiresIn: number): Promise<Answer> {
    const url = await presignGet({ signingDate, expiresIn });
    vi.useFakeTimers({ toFake: ['Date'], now: signed + after });
    return send(url);
  }

  test.each([
    [60, 60_000, 60_001],
    [1, 1000, 1001],
    [WEEK_SECONDS, WEEK_SECONDS * 1000, WEEK_SECONDS * 1000 + 1],
  ])('of %i seconds lasts %i ms, and no tolerance lengthens it', async (seconds, last, first) => {
    expect((await answered(last, seconds)).status).toBe(200);
    vi.useRealTimers();
    expect(refusal(await answered(first, seconds))).toEqual(['403 AccessDenied', 'Request has expired']);
  });

  test('ends with its end and both clocks named', async () => {
    const answer = await answered(62_500, 60);
    expect(['X-Amz-Expires', 'Expires', 'ServerTime'].map(answer.element)).toEqual(['60', '2026-11-30T12:01:00Z', '2026-11-30T12:01:02Z']);
  });

  test('begins at most a quarter of an hour before its date', async () => {
    expect((await answered(-15 * MINUTE_MS, 60)).status).toBe(200);
    vi.useRealTimers();
    const answer = await answered(-15 * MINUTE_MS - 1, 60);
    expect(refusal(answer)).toEqual(['403 AccessDenied', 'Request is not yet valid']);
    expect(['X-Amz-Date', 'Expires', 'ServerTime'].map(answer.element)).toEqual([
      String(signed),
      '2026-11-30T12:01:00Z',
      '2026-11-30T11:44:59Z',
    ]);
  });

  test('of no second is over, even if the signer’s clock is fast', async () => {
    const url = byHand({ parameters: { 'X-Amz-Expires': '0' } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - MINUTE_MS });
    expect(refusal(await send(url))).toEqual(['403 AccessDenied', 'Request has expired']);
  });
});

describe('a credential', () => {
  test('that nobody has is InvalidAccessKeyId', async () => {
    const answer = await send(await presignGet({}, { credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } }));
    expect([refusal(answer)[0], answer.element('AWSAccessKeyId')]).toEqual(['403 InvalidAccessKeyId', 'AKIANOBODY']);
  });

  test('with another secret is SignatureDoesNotMatch', async () => {
    const credentials = { ...sandbox.client.credentials, secretAccessKey: 'wrong' };
    expect(refusal(await send(await presignGet({}, { credentials })))[0]).toBe('403 SignatureDoesNotMatch');
  });

  test('of a role is its session’s, with its token and no other', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = sandbox.credentials.issueForRole('download', ROLE);
    const url = await presignGet({}, { credentials: { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? '' } });
    expect((await send(url)).status).toBe(200);
    expect(seen()?.principal?.arn).toBe('arn:aws:sts::000000000000:assumed-role/download/download-1');
    expect(refusal(await send(withParameter(url, 'X-Amz-Security-Token', null)))[0]).toBe('403 InvalidAccessKeyId');
    expect(refusal(await send(withParameter(url, 'X-Amz-Security-Token', `${sessionToken}x`)))[0]).toBe('400 InvalidToken');
    expect(refusal(await send(withParameter(await presignGet(), 'X-Amz-Security-Token', sessionToken)))[0]).toBe('400 InvalidToken');
  });

  test('that is no more takes its URLs along', async () => {
    const { credential, revoke } = sandbox.credentials.issueForEnvironment(ROLE);
    const { accessKeyId, secretAccessKey, sessionToken } = credential;
    const url = await presignGet({}, { credentials: { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? '' } });
    expect((await send(url)).status).toBe(200);
    revoke();
    expect(refusal(await send(url))[0]).toBe('403 InvalidAccessKeyId');
  });
});

describe('beside an Authorization header', () => {
  const message =
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';

  test.each(['Bearer a.secret.token', 'Basic c2VjcmV0', 'AWS4-HMAC-SHA256 Credential=a/20261130/us-east-1/s3/aws4_request'])(
    '(%s) a presigned URL is refused, and the header not repeated',
    async (authorization) => {
      const answer = await send(await presignGet(), 'GET', { authorization });
      expect([...refusal(answer), answer.element('ArgumentName')]).toEqual(['400 InvalidArgument', message, 'Authorization']);
      expect(answer.text).not.toContain(authorization.split(' ')[1]);
      expect(echo.seen).toHaveLength(0);
    },
  );

  test('a URL by Signature Version 2 is refused alike', async () => {
    const url = `${sandbox.url}/bucket/key?AWSAccessKeyId=a&Expires=1&Signature=b`;
    expect(refusal(await send(url, 'GET', { authorization: 'Bearer a' }))).toEqual(['400 InvalidArgument', message]);
  });
});

describe('what the sandbox lacks is refused', () => {
  test('Signature Version 2, as S3 does', async () => {
    const answer = await send(`${sandbox.url}/bucket/key?AWSAccessKeyId=a&Expires=1&Signature=b`);
    expect(refusal(answer)).toEqual([
      '400 InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    ]);
  });

  test('Signature Version 4A', async () => {
    const answer = await send(withParameter(await presignGet(), 'X-Amz-Algorithm', 'AWS4-ECDSA-P256-SHA256'));
    expect(refusal(answer)[0]).toBe('501 NotImplemented');
  });

  test('a URL of any other service', async () => {
    const url = byHand({ service: 'sts', path: '/', parameters: { Action: 'GetCallerIdentity', Version: '2011-06-15' } });
    expect(refusal(await send(url))).toEqual(['501 NotImplemented', 'The sandbox does not implement presigned URLs of the service sts.']);
    expect(echo.seen).toHaveLength(0);
  });
});
