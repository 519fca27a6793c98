import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../sandbox/index.ts';
import { openStage, type Stage } from './workbench.ts';

const CUSTOMER_KEY = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: randomBytes(32).toString('base64') };
const BODY = 'what is copied';

let stage: Stage;
let keyArn: string;

beforeAll(async () => {
  stage = await openStage();
  keyArn = stage.sandbox.outputs.KeyArn ?? '';
});
beforeEach(async () => {
  await stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'source', Body: BODY, ChecksumAlgorithm: 'CRC64NVME' }));
});
afterEach(() => stage.faults.clear());
afterAll(() => stage[Symbol.asyncDispose]());

const fail = (fault: FaultRule['fault'], more: Partial<FaultRule> = {}) =>
  stage.faults.set({ rules: [{ service: 's3', caller: '*', fault, ...more }] });
const copy = (Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
  stage.s3.send(new CopyObjectCommand({ Bucket: 'target', Key, CopySource: 'drop/source', ...more }));
const read = async (Key: string) => (await stage.s3.send(new GetObjectCommand({ Bucket: 'target', Key }))).Body?.transformToString();
const head = (Key: string) => stage.s3.send(new HeadObjectCommand({ Bucket: 'target', Key }));

describe('error-in-200', () => {
  test('of a copy: the SDK raises it, and there is no copy', async () => {
    fail({ kind: 'error-in-200', code: 'InternalError' });
    await expect(copy('error-in-200')).rejects.toMatchObject({ name: 'InternalError' });
    stage.faults.clear();
    await expect(head('error-in-200')).rejects.toMatchObject({ name: 'NotFound' });
  });

  test('of a copied part: the SDK raises it, and the upload has no part', async () => {
    const upload = { Bucket: 'target', Key: 'part', ServerSideEncryption: 'AES256' as const };
    const { UploadId } = await stage.s3.send(new CreateMultipartUploadCommand(upload));
    const part = { Bucket: 'target', Key: 'part', UploadId };
    fail({ kind: 'error-in-200', code: 'InternalError' });
    const copied = stage.s3.send(new UploadPartCopyCommand({ ...part, PartNumber: 1, CopySource: 'drop/source' }));
    await expect(copied).rejects.toMatchObject({ name: 'InternalError' });
    expect((await stage.s3.send(new ListPartsCommand(part))).Parts ?? []).toEqual([]);
  });

  test('of a completion: the SDK raises it, and the upload can still be completed', async () => {
    const upload = { Bucket: 'target', Key: 'completed', ServerSideEncryption: 'AES256' as const };
    const { UploadId } = await stage.s3.send(new CreateMultipartUploadCommand(upload));
    const part = { Bucket: 'target', Key: 'completed', UploadId };
    const { ETag } = await stage.s3.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: BODY }));
    const complete = new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } });
    fail({ kind: 'error-in-200', code: 'InternalError' }, { count: 1 });
    await expect(stage.s3.send(complete)).rejects.toMatchObject({ name: 'InternalError' });
    await stage.s3.send(complete);
    expect(await read('completed')).toBe(BODY);
  });
});

describe('ignore-encryption', () => {
  const asked: [string, Partial<CopyObjectCommandInput>][] = [
    ['SSE-C', CUSTOMER_KEY],
    ['SSE-KMS', { ServerSideEncryption: 'aws:kms' }],
    ['DSSE-KMS', { ServerSideEncryption: 'aws:kms:dsse' }],
    ['the bucket’s default', {}],
  ];

  test.each(asked)(
    'silent: a copy that asks for %s is answered without a word of encryption and can be read without any key',
    async (_mode, more) => {
      fail({ kind: 'ignore-encryption' });
      const answer = await copy('silent', more);
      expect([answer.ServerSideEncryption, answer.SSEKMSKeyId, answer.SSECustomerAlgorithm, answer.SSECustomerKeyMD5]).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      expect(answer.CopyObjectResult?.ETag).toMatch(/^"[0-9a-f]{32}"$/);
      stage.faults.clear();
      expect(await read('silent')).toBe(BODY);
      expect((await head('silent')).ServerSideEncryption).toBe('AES256');
    },
  );

  test('other-mode: the answer names another mode than the request', async () => {
    fail({ kind: 'ignore-encryption', answer: 'other-mode' });
    expect(await copy('other', CUSTOMER_KEY)).toMatchObject({ ServerSideEncryption: 'AES256' });
    expect(await copy('other', { ServerSideEncryption: 'aws:kms' })).toMatchObject({ ServerSideEncryption: 'AES256' });
    expect(await copy('other', { ServerSideEncryption: 'AES256' })).toMatchObject({ ServerSideEncryption: 'aws:kms' });
    expect(await read('other')).toBe(BODY);
  });

  test('other-key: the answer names the same mode with another key', async () => {
    fail({ kind: 'ignore-encryption', answer: 'other-key' });
    const kms = await copy('other', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn });
    expect(kms.ServerSideEncryption).toBe('aws:kms');
    expect(kms.SSEKMSKeyId).toMatch(/^arn:aws:kms:us-east-1:000000000000:key\//);
    expect(kms.SSEKMSKeyId).not.toBe(keyArn);
    const ssec = await copy('other', CUSTOMER_KEY);
    expect(ssec.SSECustomerAlgorithm).toBe('AES256');
    expect(ssec.SSECustomerKeyMD5).toMatch(/^.{22}==$/);
    expect(await read('other')).toBe(BODY);
  });

  test('an upload that began so goes on so: its parts and its completion are silent, and the object is readable', async () => {
    const upload = { Bucket: 'target', Key: 'parts' };
    fail({ kind: 'ignore-encryption' }, { operation: 'CreateMultipartUpload' });
    const created = await stage.s3.send(new CreateMultipartUploadCommand({ ...upload, ...CUSTOMER_KEY }));
    expect(created.SSECustomerAlgorithm).toBeUndefined();
    const part = { ...upload, UploadId: created.UploadId };
    const sent = await stage.s3.send(new UploadPartCommand({ ...part, ...CUSTOMER_KEY, PartNumber: 1, Body: BODY }));
    const copied = await stage.s3.send(new UploadPartCopyCommand({ ...part, ...CUSTOMER_KEY, PartNumber: 2, CopySource: 'drop/source' }));
    expect([sent.SSECustomerKeyMD5, copied.SSECustomerKeyMD5]).toEqual([undefined, undefined]);
    const etags = [sent.ETag, copied.CopyPartResult?.ETag];
    const parts = { MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) } };
    const completed = await stage.s3.send(new CompleteMultipartUploadCommand({ ...part, ...parts, ...CUSTOMER_KEY }));
    expect(completed.ServerSideEncryption).toBeUndefined();
    expect(await read('parts')).toBe(BODY + BODY);
  });

  test('policies still judge what the request says', async () => {
    fail({ kind: 'ignore-encryption' });
    await expect(copy('refused', { ...CUSTOMER_KEY, CopySource: 'drop/missing' })).rejects.toMatchObject({ name: 'NoSuchKey' });
    const { services } = stage.sandbox;
    const statement = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::target/*',
      Condition: { Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'true' } },
    };
    services.s3.putBucketPolicy('target', JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
    try {
      await expect(copy('refused', { ServerSideEncryption: 'aws:kms' })).rejects.toMatchObject({ name: 'AccessDenied' });
      await copy('allowed', CUSTOMER_KEY);
      expect(await read('allowed')).toBe(BODY);
    } finally {
      services.s3.deleteBucketPolicy('target');
    }
  });
});

describe('wrong-checksum', () => {
  test('of a copy: the answer has another checksum than the object', async () => {
    fail({ kind: 'wrong-checksum' });
    const { CopyObjectResult } = await copy('checksum', { ServerSideEncryption: 'AES256' });
    stage.faults.clear();
    const { ChecksumCRC64NVME } = await stage.s3.send(
      new HeadObjectCommand({ Bucket: 'target', Key: 'checksum', ChecksumMode: 'ENABLED' }),
    );
    expect(CopyObjectResult?.ChecksumCRC64NVME).toMatch(/^.{11}=$/);
    expect(ChecksumCRC64NVME).toMatch(/^.{11}=$/);
    expect(CopyObjectResult?.ChecksumCRC64NVME).not.toBe(ChecksumCRC64NVME);
  });

  test('of a download: the SDK notices', async () => {
    await copy('download', { ServerSideEncryption: 'AES256', ChecksumAlgorithm: 'CRC32' });
    expect(await read('download')).toBe(BODY);
    fail({ kind: 'wrong-checksum' });
    await expect(read('download')).rejects.toThrow('Checksum mismatch');
  });
});

describe('KMS, as S3 uses it', () => {
  const kms = (status: number, code: string, operation = 'GenerateDataKey') =>
    stage.faults.set({ rules: [{ service: 'kms', operation, caller: '*', fault: { kind: 'error', status, code } }] });
  const encrypted = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: '' } as const;

  test.each([
    [400, 'ThrottlingException', 503, 'SlowDown'],
    [500, 'KMSInternalException', 503, 'ServiceUnavailable'],
    [400, 'DisabledException', 400, 'KMS.DisabledException'],
  ])('%i %s is answered by S3 as %i %s', async (status, code, httpStatusCode, name) => {
    kms(status, code);
    await expect(copy('kms', { ...encrypted, SSEKMSKeyId: keyArn })).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    await copy('kms', { ServerSideEncryption: 'AES256' });
  });

  test('a read needs Decrypt', async () => {
    await copy('read', { ...encrypted, SSEKMSKeyId: keyArn });
    kms(400, 'ThrottlingException', 'Decrypt');
    await expect(read('read')).rejects.toMatchObject({ name: 'SlowDown' });
    stage.faults.clear();
    expect(await read('read')).toBe(BODY);
  });

  test('is not hit by a rule that names no service', async () => {
    stage.faults.set({ rules: [{ operation: 'GenerateDataKey', caller: '*', fault: { kind: 'error', status: 500, code: 'X' } }] });
    await copy('kms', { ...encrypted, SSEKMSKeyId: keyArn });
  });
});
