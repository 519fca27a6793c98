/** Presigned URLs: whoever has one acts as its signer, with the signer's rights of that moment. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, customerKey, openSandbox, type Sandbox, sample, VERSIONED } from './sandbox.ts';
import { sendSigned } from './signed-request.ts';

let sandbox: Sandbox;
const Key = 'folder/object.txt';
const at = { Bucket, Key };
const ARN = `arn:aws:s3:::${Bucket}`;
const MINUTE_MS = 60_000;
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.client.send(new PutObjectCommand({ ...at, Body: '0123456789', ContentType: 'text/plain' }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

type Command = GetObjectCommand | HeadObjectCommand | PutObjectCommand | DeleteObjectCommand;

const presign = (command: Command, client = sandbox.client, options: Parameters<typeof getSignedUrl>[2] = {}) =>
  getSignedUrl(client, command as GetObjectCommand, options);
const presignGet = (client?: S3Client, options?: Parameters<typeof getSignedUrl>[2]) => presign(new GetObjectCommand(at), client, options);
const fetched = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init);
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
};
const refused = async (url: string, init: RequestInit = {}) => {
  const { status, text } = await fetched(url, init);
  const [, code, message] = /<Code>(.*?)<\/Code><Message>(.*?)<\/Message>/s.exec(text) ?? [];
  return { answer: `${status} ${code}`, message: message?.replaceAll('&quot;', '"') };
};

describe('by a presigned URL', () => {
  test('an object is read, whole or in part', async () => {
    const url = await presignGet();
    expect(await fetched(url)).toMatchObject({ status: 200, text: '0123456789', headers: { 'content-type': 'text/plain' } });
    const part = await fetched(url, { headers: { range: 'bytes=2-4' } });
    expect(part).toMatchObject({ status: 206, text: '234', headers: { 'content-range': 'bytes 2-4/10' } });
  });

  test('it answers as it is told to', async () => {
    const command = new GetObjectCommand({
      ...at,
      ResponseContentDisposition: 'attachment; filename="a b.txt"',
      ResponseContentType: 'text/csv',
      ResponseCacheControl: 'no-store',
    });
    const { headers } = await fetched(await presign(command));
    expect(headers).toMatchObject({
      'content-disposition': 'attachment; filename="a b.txt"',
      'content-type': 'text/csv',
      'cache-control': 'no-store',
    });
  });

  test('an old version is read', async () => {
    const place = { Bucket: VERSIONED, Key };
    const { VersionId } = await sandbox.client.send(new PutObjectCommand({ ...place, Body: 'old' }));
    await sandbox.client.send(new PutObjectCommand({ ...place, Body: 'new' }));
    const { text, headers } = await fetched(await presign(new GetObjectCommand({ ...place, VersionId })));
    expect([text, headers['x-amz-version-id']]).toEqual(['old', VersionId]);
  });

  test('HEAD is one of its own', async () => {
    const { status, headers, text } = await fetched(await presign(new HeadObjectCommand(at)), { method: 'HEAD' });
    expect([status, headers['content-length'], text]).toEqual([200, '10', '']);
    expect((await fetched(await presignGet(), { method: 'HEAD' })).status).toBe(403);
  });

  test('an object is written with any bytes, and what the URL says of it', async () => {
    const place = { Bucket, Key: 'uploaded' };
    const url = await presign(new PutObjectCommand({ ...place, Metadata: { by: 'url' }, StorageClass: 'STANDARD_IA' }));
    const put = await fetched(url, { method: 'PUT', body: 'uploaded', headers: { 'content-type': 'text/html' } });
    expect(put.status).toBe(200);
    const head = await sandbox.client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ContentLength: 8, ContentType: 'text/html', Metadata: { by: 'url' }, StorageClass: 'STANDARD_IA' });
    // The URL's own is of no bytes at all.
    expect(head.ChecksumCRC32).not.toBe('AAAAAA==');
  });

  test('an object is deleted', async () => {
    const place = { Bucket, Key: 'deleted' };
    await sandbox.client.send(new PutObjectCommand({ ...place, Body: 'x' }));
    expect((await fetched(await presign(new DeleteObjectCommand(place)), { method: 'DELETE' })).status).toBe(204);
    expect((await refused(await presign(new GetObjectCommand(place)))).answer).toBe('404 NoSuchKey');
  });

  test('SSE-C needs the key in signed headers', async () => {
    const key = customerKey(sample(32));
    const headers = {
      'x-amz-server-side-encryption-customer-algorithm': key.SSECustomerAlgorithm,
      'x-amz-server-side-encryption-customer-key': key.SSECustomerKey,
      'x-amz-server-side-encryption-customer-key-md5': key.SSECustomerKeyMD5,
    };
    const place = { Bucket, Key: 'sse-c' };
    const put = await presign(new PutObjectCommand({ ...place, ...key }));
    expect(put).not.toContain(encodeURIComponent(key.SSECustomerKey));
    expect((await fetched(put, { method: 'PUT', body: 'secret', headers })).status).toBe(200);
    const get = await presign(new GetObjectCommand({ ...place, ...key }));
    expect((await fetched(get, { headers })).text).toBe('secret');
    expect((await refused(get)).answer).toBe('403 SignatureDoesNotMatch');
    expect((await refused(await presign(new GetObjectCommand(place)), { headers })).answer).toBe('403 AccessDenied');
    expect((await refused(await presign(new GetObjectCommand(place)))).answer).toBe('400 InvalidRequest');
  });

  test('If-Range and a stale copy give the whole object', async () => {
    const url = await presignGet();
    const { headers } = await fetched(url);
    const resumed = (ifRange = '') => fetched(url, { headers: { range: 'bytes=8-', 'if-range': ifRange } });
    expect(await resumed(headers.etag)).toMatchObject({ status: 206, text: '89' });
    expect(await resumed('"0123456789abcdef0123456789abcdef"')).toMatchObject({ status: 200, text: '0123456789' });
  });

  test('parameters that no operation takes are refused as ever', async () => {
    for (const parameters of [{ requestedBy: 'me' }, { torrent: '' }]) {
      const command = new GetObjectCommand(at);
      command.middlewareStack.add(
        (next) => (args) => {
          Object.assign((args.request as { query: Record<string, string> }).query, parameters);
          return next(args);
        },
        { step: 'build' },
      );
      expect((await refused(await presign(command))).answer).toBe('501 NotImplemented');
    }
  });
});

describe('the authentication of a presigned URL is unknown', () => {
  test('to a request that is signed in its header', async () => {
    const { status, text } = await sendSigned(sandbox, 'GET', `/${Bucket}/object?X-Amz-Date=20261130T000000Z`);
    expect([status, text]).toEqual([501, expect.stringContaining('the parameter X-Amz-Date of GetObject')]);
  });

  test('to a request that is not signed, which is nobody’s', async () => {
    const url = `${sandbox.url}/${Bucket}/${Key}`;
    expect((await refused(`${url}?response-content-disposition=attachment`)).answer).toBe('403 AccessDenied');
    expect((await refused(`${url}?X-Amz-Date=20261130T000000Z`)).answer).toBe('501 NotImplemented');
  });
});

describe('the signer’s rights', () => {
  const denied = (action: string) =>
    `User: arn:aws:sts::000000000000:assumed-role/signer/session is not authorized to perform: ${action} on resource: "${ARN}/${Key}" because no identity-based policy allows the ${action} action`;
  const may = (Action: string) => ({ Effect: 'Allow', Action, Resource: `${ARN}/folder/*` });

  test('are those of its URLs, in both directions', async () => {
    const url = await presignGet(sandbox.asRole('signer', may('s3:GetObject')));
    expect((await fetched(url)).text).toBe('0123456789');
    const put = await presign(new PutObjectCommand(at), sandbox.asRole('signer', may('s3:GetObject')));
    expect(await refused(put, { method: 'PUT', body: 'x' })).toEqual({ answer: '403 AccessDenied', message: denied('s3:PutObject') });
  });

  test('count when the URL is used, not when it was made', async () => {
    const url = await presignGet(sandbox.asRole('signer', may('s3:PutObject')));
    expect(await refused(url)).toEqual({ answer: '403 AccessDenied', message: denied('s3:GetObject') });
    sandbox.asRole('signer', may('s3:GetObject'));
    expect((await fetched(url)).status).toBe(200);
    sandbox.asRole('signer');
    expect((await fetched(url)).status).toBe(403);
  });

  test('on the key are asked for as well', async () => {
    const kms = new KMSClient({ endpoint: sandbox.url, region: 'us-east-1', credentials: sandbox.credentials });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    kms.destroy();
    const place = { Bucket, Key: 'folder/under-a-key' };
    await sandbox.client.send(
      new PutObjectCommand({ ...place, Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.Arn }),
    );
    const url = await presign(new GetObjectCommand(place), sandbox.asRole('signer', may('s3:GetObject')));
    const { answer, message } = await refused(url);
    expect([answer, message]).toEqual(['403 AccessDenied', expect.stringContaining('kms:Decrypt')]);
    sandbox.asRole('signer', may('s3:GetObject'), { Effect: 'Allow', Action: 'kms:Decrypt', Resource: KeyMetadata?.Arn });
    expect((await fetched(url)).text).toBe('x');
  });
});

describe('policies', () => {
  const DENIED = /with an explicit deny in a resource-based policy/;
  const enforced = async (Condition: object, work: () => Promise<void>) => {
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: `${ARN}/*`, Condition };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statement });
    await sandbox.client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await work().finally(() => sandbox.client.send(new DeleteBucketPolicyCommand({ Bucket })));
  };
  const byHeader = async () => (await sandbox.client.send(new GetObjectCommand(at))).Body?.transformToString();

  test.each([
    ['REST-QUERY-STRING', true],
    ['REST-HEADER', false],
  ])('can forbid s3:authType %s', async (type, forbidsUrls) => {
    const url = await presignGet();
    await enforced({ StringEquals: { 's3:authType': type } }, async () => {
      const { message = 'done' } = await refused(url);
      const outcome = await byHeader().catch((error: Error) => error.message);
      expect([message, outcome].map((text) => DENIED.test(text ?? ''))).toEqual([forbidsUrls, !forbidsUrls]);
    });
  });

  test('can forbid old signatures by s3:signatureAge, of URLs alone', async () => {
    const young = await presignGet();
    const old = await presignGet(sandbox.client, { signingDate: new Date(Date.now() - 11 * MINUTE_MS) });
    await enforced({ NumericGreaterThan: { 's3:signatureAge': String(10 * MINUTE_MS) } }, async () => {
      expect((await fetched(young)).status).toBe(200);
      expect((await refused(old)).message).toMatch(DENIED);
      expect(await byHeader()).toBe('0123456789');
    });
    expect((await fetched(old)).status).toBe(200);
    await enforced({ Null: { 's3:signatureAge': 'true' } }, async () => {
      expect((await fetched(young)).status).toBe(200);
      await expect(byHeader()).rejects.toThrow(DENIED);
    });
  });

  test('can demand s3:signatureversion, which is always 4', async () => {
    const url = await presignGet();
    await enforced({ StringNotEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } }, async () => {
      expect([(await fetched(url)).text, await byHeader()]).toEqual(['0123456789', '0123456789']);
    });
    await enforced({ StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } }, async () => {
      expect((await refused(url)).message).toMatch(DENIED);
      await expect(byHeader()).rejects.toThrow(DENIED);
    });
  });
});
