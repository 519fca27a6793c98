/** Bucket policies as they are enforced: conditions on what a request says. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, customerKey, openSandbox, refusal, type Sandbox, sample, VERSIONED } from './sandbox.ts';

let sandbox: Sandbox;
let keyArn = '';
const ARN = `arn:aws:s3:::${Bucket}`;
const DENIED = 'with an explicit deny in a resource-based policy';
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { minPartBytes: 10 } });
  keyArn = sandbox.kms.requireUsable('alias/aws/s3');
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'source' }));
});
afterEach(() => sandbox.client.send(new DeleteBucketPolicyCommand({ Bucket })));
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const enforce = (...Statement: object[]) => {
  const statements = Statement.map((statement) => ({ Effect: 'Deny', Principal: '*', ...statement }));
  return sandbox.client.send(
    new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }),
  );
};
const unless = (operator: string, key: string, value: string | string[], Action = 's3:PutObject') =>
  enforce({ Action, Resource: `${ARN}/*`, Condition: { [operator]: { [key]: value } } });
const put = (extra: object = {}, client = sandbox.client) =>
  client.send(new PutObjectCommand({ Bucket, Key: 'written', Body: 'x', ...extra }));
const copy = (extra: object = {}) =>
  sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'written', CopySource: `${Bucket}/source`, ...extra }));
const denied = async (call: Promise<unknown>) => {
  const { answer, message } = await refusal(call);
  expect([answer, message]).toEqual(['403 AccessDenied', expect.stringContaining(DENIED)]);
};

describe('encryption', () => {
  test('a write whose headers do not name it is denied, whatever the bucket’s default would make of it', async () => {
    const Rules = [
      {
        BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] },
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const },
      },
    ];
    sandbox.s3.putBucketEncryption(Bucket, { Rules });
    await unless('StringNotEquals', 's3:x-amz-server-side-encryption', 'aws:kms');
    await put({ ServerSideEncryption: 'aws:kms' });
    await copy({ ServerSideEncryption: 'aws:kms' });
    await denied(put());
    await denied(put({ ServerSideEncryption: 'AES256' }));
    await denied(copy());
    sandbox.s3.putBucketEncryption(Bucket, { Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['NONE'] } }] });
  });

  test('a key can be demanded by its ARN, and aws/s3 by naming none', async () => {
    const key = 's3:x-amz-server-side-encryption-aws-kms-key-id';
    await unless('StringNotEquals', key, keyArn);
    await put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn });
    await denied(put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/aws/s3' }));
    await denied(put({ ServerSideEncryption: 'aws:kms' }));
    await unless('Null', key, 'false');
    await put({ ServerSideEncryption: 'aws:kms' });
    await denied(put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn }));
  });

  test('SSE-C can be demanded', async () => {
    await unless('Null', 's3:x-amz-server-side-encryption-customer-algorithm', 'true');
    await put(customerKey(sample(32)));
    await copy(customerKey(sample(32)));
    await denied(put());
    await denied(put({ ServerSideEncryption: 'AES256' }));
  });

  test('a condition on two keys denies only where both hold', async () => {
    const Condition = { Null: { 's3:x-amz-server-side-encryption': 'true', 's3:x-amz-server-side-encryption-customer-algorithm': 'true' } };
    await enforce({ Action: 's3:PutObject', Resource: `${ARN}/*`, Condition });
    await put({ ServerSideEncryption: 'AES256' });
    await put(customerKey(sample(32)));
    await denied(put());
  });

  const KEY = sample(32);
  test.each<[string, string, string, object, object]>([
    ['SSE-KMS', 'StringNotEquals', 's3:x-amz-server-side-encryption', { ServerSideEncryption: 'aws:kms' }, {}],
    ['SSE-C', 'Null', 's3:x-amz-server-side-encryption-customer-algorithm', customerKey(KEY), customerKey(KEY)],
  ])('parts and completion are judged by what their upload was begun with: %s', async (_name, operator, key, begun, ofPart) => {
    await unless(operator, key, operator === 'Null' ? 'true' : 'aws:kms');
    const Key = 'parts';
    const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...begun }));
    const { ETag } = await sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x', ...ofPart }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...ofPart }));
    await denied(sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key })));
  });

  test('an upload begun before the policy, without encryption, gets no more parts and no end', async () => {
    const Key = 'parts';
    const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = () => sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }));
    const { ETag } = await part();
    await unless('StringNotEquals', 's3:x-amz-server-side-encryption', 'AES256');
    await denied(part());
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await denied(sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload })));
    const gone = { Bucket, Key, UploadId: 'none', PartNumber: 1, Body: 'x' };
    expect((await refusal(sandbox.client.send(new UploadPartCommand(gone)))).answer).toBe('404 NoSuchUpload');
  });
});

describe('other conditions', () => {
  test('plain HTTP is denied, to the administrator too', async () => {
    const Condition = { Bool: { 'aws:SecureTransport': 'false' } };
    await enforce({ Action: 's3:*', Resource: [ARN, `${ARN}/*`], Condition });
    const insecure = sandbox.adding({ 'x-sandbox-insecure': '1' });
    await denied(put({}, insecure));
    await denied(insecure.send(new GetObjectCommand({ Bucket, Key: 'source' })));
    await denied(insecure.send(new ListObjectsV2Command({ Bucket })));
    await denied(insecure.send(new CopyObjectCommand({ Bucket: VERSIONED, Key: 'x', CopySource: `${Bucket}/source` })));
    await put();
  });

  test('a TLS version below 1.2 is denied; loopback has 1.3, plain HTTP none', async () => {
    await unless('NumericLessThan', 's3:TlsVersion', '1.4');
    await denied(put());
    await put({}, sandbox.adding({ 'x-sandbox-insecure': '1' }));
    await unless('NumericLessThan', 's3:TlsVersion', '1.2');
    await put();
  });

  test('listings are narrowed by prefix, delimiter and page size', async () => {
    const list = (extra: object) => sandbox.client.send(new ListObjectsV2Command({ Bucket, ...extra }));
    await enforce({ Action: 's3:ListBucket', Resource: ARN, Condition: { StringNotEquals: { 's3:prefix': ['a/', ''] } } });
    await list({ Prefix: 'a/' });
    await list({ Prefix: '' });
    await denied(list({ Prefix: 'b/' }));
    await denied(list({}));
    await enforce({ Action: 's3:ListBucketVersions', Resource: ARN, Condition: { NumericGreaterThan: { 's3:max-keys': '10' } } });
    await sandbox.client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 10 }));
    await denied(sandbox.client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 11 })));
    await enforce({ Action: 's3:ListBucket', Resource: ARN, Condition: { StringNotEquals: { 's3:delimiter': '/' } } });
    await list({ Delimiter: '/' });
    await denied(list({ Delimiter: '-' }));
  });

  test('a copy is judged by its source and directive, a write by its storage class', async () => {
    await unless('StringNotLike', 's3:x-amz-copy-source', `${Bucket}/sou*`);
    await copy();
    await denied(put());
    await unless('StringEquals', 's3:x-amz-metadata-directive', 'REPLACE');
    await copy();
    await denied(copy({ MetadataDirective: 'REPLACE' }));
    await unless('StringNotEquals', 's3:x-amz-storage-class', 'STANDARD_IA');
    await put({ StorageClass: 'STANDARD_IA' });
    await denied(put({ StorageClass: 'ONEZONE_IA' }));
  });

  test('conditional writes can be demanded of all that makes an object, and of nothing else', async () => {
    const Condition = { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } };
    await enforce({ Action: 's3:PutObject', Resource: `${ARN}/*`, Condition });
    await put({ Key: 'once', IfNoneMatch: '*' });
    await denied(put({ Key: 'twice' }));
    const Key = 'uploaded';
    const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const { ETag } = await sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }));
    const complete = { Bucket, Key, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await denied(sandbox.client.send(new CompleteMultipartUploadCommand(complete)));
    await sandbox.client.send(new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch: '*' }));
  });

  test('a version is named', async () => {
    const policy = {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:GetObjectVersion',
        Resource: `arn:aws:s3:::${VERSIONED}/*`,
        Condition: { StringEquals: { 's3:VersionId': 'null' } },
      },
    };
    sandbox.s3.putBucketPolicy(VERSIONED, JSON.stringify(policy));
    const { VersionId } = await sandbox.client.send(new PutObjectCommand({ Bucket: VERSIONED, Key: 'v', Body: 'x' }));
    const read = (id: string | undefined) => sandbox.client.send(new GetObjectCommand({ Bucket: VERSIONED, Key: 'v', VersionId: id }));
    await read(VersionId);
    await denied(read('null'));
    sandbox.s3.deleteBucketPolicy(VERSIONED);
  });
});
