import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type PutObjectCommandOutput,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customerKey, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
let keyArn = '';
const Bucket = 'fresh';
const KEY = customerKey(randomBytes(32));
beforeAll(async () => {
  sandbox = await openSandbox();
  keyArn = sandbox.kms.requireUsable('alias/aws/s3');
  await sandbox.client.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const configure = (rule: ServerSideEncryptionRule) =>
  sandbox.client.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
const put = (extra: object = {}) => sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'object', Body: 'x', ...extra }));
const rules = async () => (await sandbox.client.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules;
const NONE = { BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] } };

test('a new bucket encrypts with SSE-S3 and blocks SSE-C', async () => {
  expect(await rules()).toEqual([
    {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
      BucketKeyEnabled: false,
      BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
    },
  ]);
  expect((await put()).ServerSideEncryption).toBe('AES256');
});

test('a bucket that blocks SSE-C refuses put, copy and upload with 403, in AWS’s words', async () => {
  const message =
    'User: arn:aws:iam::000000000000:user/administrator is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::fresh/object" ' +
    'because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). ' +
    'Please specify a different server-side encryption type';
  const refused = { answer: '403 AccessDenied', message };
  expect(await refusal(put(KEY))).toMatchObject(refused);
  await put();
  const copy = new CopyObjectCommand({ Bucket, Key: 'object', CopySource: `${Bucket}/object`, ...KEY });
  expect(await refusal(sandbox.client.send(copy))).toMatchObject({ ...refused, message: message.replace('s3:PutObject', 's3:CopyObject') });
  const upload = new CreateMultipartUploadCommand({ Bucket, Key: 'object', ...KEY });
  expect(await refusal(sandbox.client.send(upload))).toMatchObject(refused);
});

test('NONE allows SSE-C; SSE-C, or no word of it, blocks it again, and what is there stays readable', async () => {
  await configure(NONE);
  await put(KEY);
  for (const rule of [{ BlockedEncryptionTypes: { EncryptionType: ['SSE-C' as const] } }, { BucketKeyEnabled: true }]) {
    await configure(rule);
    expect((await refusal(put(KEY))).answer).toBe('403 AccessDenied');
    const got = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'object', ...KEY }));
    expect(await got.Body?.transformToString()).toBe('x');
  }
});

test.each([
  [{ SSEAlgorithm: 'aws:kms' as const }, true, { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true }],
  [{ SSEAlgorithm: 'aws:kms' as const }, false, { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: undefined }],
  [{ SSEAlgorithm: 'aws:kms:dsse' as const }, true, { ServerSideEncryption: 'aws:kms:dsse', BucketKeyEnabled: undefined }],
])('the default %o, bucket key %s, applies to what asks for nothing', async (byDefault, BucketKeyEnabled, expected) => {
  await configure({ ...NONE, BucketKeyEnabled, ApplyServerSideEncryptionByDefault: { ...byDefault, KMSMasterKeyID: keyArn } });
  const said = ({ ServerSideEncryption, BucketKeyEnabled, SSEKMSKeyId }: PutObjectCommandOutput) => ({
    ServerSideEncryption,
    BucketKeyEnabled,
    SSEKMSKeyId,
  });
  expect(said(await put())).toEqual({ ...expected, SSEKMSKeyId: keyArn });
  const copied = await sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/object` }));
  expect(said(copied)).toEqual({ ...expected, SSEKMSKeyId: keyArn });
  const begun = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'up' }));
  expect(said(begun)).toEqual({ ...expected, SSEKMSKeyId: keyArn });
});

test('what a request says wins over the default', async () => {
  await configure({
    ...NONE,
    BucketKeyEnabled: true,
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
  });
  expect((await put({ ServerSideEncryption: 'AES256' })).SSEKMSKeyId).toBeUndefined();
  expect((await put(KEY)).SSECustomerAlgorithm).toBe('AES256');
  expect((await put({ ServerSideEncryption: 'aws:kms' })).BucketKeyEnabled).toBe(true);
  expect((await put({ ServerSideEncryption: 'aws:kms', BucketKeyEnabled: false })).BucketKeyEnabled).toBeUndefined();
});

test('a default key that cannot be used fails the write, not the configuration', async () => {
  await configure({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'not-a-key' } });
  expect((await refusal(put())).answer).toBe('400 KMS.NotFoundException');
});

test('deleting the configuration brings the first one back', async () => {
  await sandbox.client.send(new DeleteBucketEncryptionCommand({ Bucket }));
  expect((await rules())?.[0]?.ApplyServerSideEncryptionByDefault).toEqual({ SSEAlgorithm: 'AES256' });
  expect((await refusal(put(KEY))).answer).toBe('403 AccessDenied');
});

test('refuses two rules, unknown algorithms and a key for SSE-S3', async () => {
  const two = new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [{}, {}] } });
  expect((await refusal(sandbox.client.send(two))).answer).toBe('400 MalformedXML');
  const withKey = configure({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256', KMSMasterKeyID: keyArn } });
  expect((await refusal(withKey)).answer).toBe('400 InvalidArgument');
  const unknown = configure({ BlockedEncryptionTypes: { EncryptionType: ['SSE-KMS' as 'NONE'] } });
  expect((await refusal(unknown)).answer).toBe('400 MalformedXML');
});
