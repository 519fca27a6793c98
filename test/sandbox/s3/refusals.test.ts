/** What the sandbox lacks is refused aloud, and errors have S3's shape. */

import {
  CopyObjectCommand,
  GetBucketCorsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTorrentCommand,
  HeadObjectCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  RestoreObjectCommand,
  UpdateObjectEncryptionCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';
import { sendSigned } from './signed-request.ts';

let sandbox: Sandbox;
const Key = 'object';
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { maxPutBytes: 1_000_000 } });
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

describe('501', () => {
  test('for operations', async () => {
    const KMSKeyArn = sandbox.kms.requireUsable('alias/aws/s3');
    const calls = [
      sandbox.client.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'private' })),
      sandbox.client.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status: 'ON' } })),
      sandbox.client.send(new RestoreObjectCommand({ Bucket, Key, RestoreRequest: { Days: 1 } })),
      sandbox.client.send(new GetObjectTorrentCommand({ Bucket, Key })),
      sandbox.client.send(new GetBucketCorsCommand({ Bucket })),
      sandbox.client.send(new UpdateObjectEncryptionCommand({ Bucket, Key, ObjectEncryption: { SSEKMS: { KMSKeyArn } } })),
    ];
    for (const { answer, message } of await Promise.all(calls.map(refusal))) {
      expect([answer, message]).toEqual(['501 NotImplemented', expect.stringMatching(/^The sandbox does not implement /)]);
    }
  });

  test.each([
    ['x-amz-object-lock-mode', 'COMPLIANCE'],
    ['x-amz-grant-read', 'id="1"'],
    ['x-amz-write-offset-bytes', '1'],
    ['x-amz-something-new', '1'],
  ])('for the header %s, and nothing is stored', async (name, value) => {
    const put = sandbox.adding({ [name]: value }).send(new PutObjectCommand({ Bucket, Key: 'refused', Body: 'x' }));
    expect(await refusal(put)).toMatchObject({
      answer: '501 NotImplemented',
      message: `The sandbox does not implement the header ${name} of PutObject.`,
    });
    expect((await refusal(sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'refused' })))).answer).toBe('404 NotFound');
  });

  test('for parameters that it does not know', async () => {
    const { status, text } = await sendSigned(sandbox, 'GET', `/${Bucket}/${Key}?surprise=1`);
    expect([status, text]).toEqual([501, expect.stringContaining('the parameter surprise of GetObject')]);
  });
});

test.each([1_000_000, 1_000_001])('a body of %i bytes, of at most 1,000,000', async (length) => {
  const put = sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'sized', Body: sample(length) }));
  if (length <= 1_000_000) return expect((await put).$metadata.httpStatusCode).toBe(200);
  return expect(await refusal(put)).toMatchObject({
    answer: '400 EntityTooLarge',
    detail: { ProposedSize: String(length), MaxSizeAllowed: '1000000' },
  });
});

test('ACLs that would grant something are refused, harmless ones taken', async () => {
  const put = (ACL: 'private' | 'bucket-owner-full-control' | 'public-read') =>
    sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'acl', Body: 'x', ACL }));
  await put('private');
  await put('bucket-owner-full-control');
  expect((await refusal(put('public-read'))).answer).toBe('400 AccessControlListNotSupported');
});

test('unknown storage classes are refused, archives are a 501', async () => {
  const put = (StorageClass: 'GLACIER') => sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'class', Body: 'x', StorageClass }));
  expect((await refusal(put('COLD' as 'GLACIER'))).answer).toBe('400 InvalidStorageClass');
  expect((await refusal(put('GLACIER'))).answer).toBe('501 NotImplemented');
});

test('another account is not the owner', async () => {
  const get = (ExpectedBucketOwner: string) => sandbox.client.send(new GetObjectCommand({ Bucket, Key, ExpectedBucketOwner }));
  expect((await refusal(get('111111111111'))).answer).toBe('403 AccessDenied');
  const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` };
  const others = [
    sandbox.client.send(new CopyObjectCommand({ ...copy, ExpectedSourceBucketOwner: '111111111111' })),
    sandbox.client.send(new CopyObjectCommand({ ...copy, ExpectedBucketOwner: '111111111111' })),
    sandbox.client.send(new GetBucketVersioningCommand({ Bucket, ExpectedBucketOwner: '111111111111' })),
  ];
  for (const { answer } of await Promise.all(others.map(refusal))) expect(answer).toBe('403 AccessDenied');
  expect(await (await get('000000000000')).Body?.transformToString()).toBe('x');
});

test('errors are S3’s XML, and none for HEAD', async () => {
  const { headers, text } = await sendSigned(sandbox, 'GET', `/${Bucket}/none`);
  expect(headers['content-type']).toBe('application/xml');
  expect(text).toMatch(
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>.*<\/Message><Key>none<\/Key><RequestId>/,
  );
  expect(text).toContain(headers['x-amz-request-id']);
  const head = await sendSigned(sandbox, 'HEAD', `/${Bucket}/none`);
  expect([head.status, head.text]).toEqual([404, '']);
});

test('nobody without a signature is served', async () => {
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const response = await fetch(`${sandbox.url}/${Bucket}/${Key}`, { method });
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
  }
  expect(await (await sandbox.client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('x');
});

test('a body without a length is refused', async () => {
  const { status, text } = await sendSigned(sandbox, 'PUT', `/${Bucket}/chunked`, {}, 'x');
  expect([status, text]).toEqual([411, expect.stringContaining('<Code>MissingContentLength</Code>')]);
});

test('buckets answer under a host name of their own', async () => {
  const { port } = new URL(sandbox.url);
  const { status, text } = await sendSigned(sandbox, 'GET', `/${Key}`, { host: `${Bucket}.localhost:${port}` });
  expect([status, text]).toEqual([200, 'x']);
});

test('after a refused upload the connection serves the next request', async () => {
  const client = sandbox.connect();
  for (let turn = 0; turn < 3; turn += 1) {
    await refusal(client.send(new PutObjectCommand({ Bucket: 'nowhere', Key, Body: sample(900_000) })));
    expect(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('x');
  }
});
