/** KMS is asked for the caller: whose role may not use the key can neither write nor read under it. */
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
let kms: KMSClient;
let keyArn = '';
const Key = 'object';
const ON_S3 = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
const VIA_S3 = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } };
beforeAll(async () => {
  sandbox = await openSandbox();
  kms = new KMSClient({ endpoint: sandbox.url, region: 'us-east-1', credentials: sandbox.credentials });
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
});
afterAll(async () => {
  kms.destroy();
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const mayUse = (Action: string | string[], extra: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource: keyArn,
  Condition: VIA_S3,
  ...extra,
});
const refused = async (call: Promise<unknown>, action: string) => {
  const { answer, message } = await refusal(call);
  expect([answer, message]).toEqual([
    '403 AccessDenied',
    `User: arn:aws:sts::000000000000:assumed-role/tested/session is not authorized to perform: ${action} on resource: ${keyArn} because no identity-based policy allows the ${action} action`,
  ]);
};

describe.each<[string, object, string[]]>([
  ['a data key', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: false }, ['kms:GenerateDataKey']],
  ['a bucket key', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true }, ['kms:GenerateDataKey', 'kms:Decrypt']],
  ['two layers', { ServerSideEncryption: 'aws:kms:dsse' }, ['kms:GenerateDataKey']],
])('with %s', (_name, mode, writing) => {
  const encryption = () => ({ ...mode, SSEKMSKeyId: keyArn });
  const put = (client: S3Client) => client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...encryption() }));
  const get = async (client: S3Client) => (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  const copyFrom = (client: S3Client) => client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` }));
  const copyTo = (client: S3Client) =>
    client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/plain`, ...encryption() }));

  test(`a write needs ${writing.join(' and ')}, and nothing more`, async () => {
    await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: 'x' }));
    for (const write of [put, copyTo]) {
      for (const missing of writing) {
        const others = ['kms:GenerateDataKey', 'kms:Decrypt'].filter((action) => action !== missing);
        await refused(write(sandbox.asRole('tested', ON_S3, mayUse(others))), missing);
      }
      await write(sandbox.asRole('tested', ON_S3, mayUse(writing)));
    }
  });

  test('a read needs Decrypt, and nothing more', async () => {
    await put(sandbox.client);
    for (const read of [get, copyFrom]) {
      await refused(read(sandbox.asRole('tested', ON_S3, mayUse('kms:GenerateDataKey'))), 'kms:Decrypt');
      await read(sandbox.asRole('tested', ON_S3, mayUse('kms:Decrypt')));
    }
  });

  test('HEAD needs no right to the key, but for a checksum', async () => {
    await put(sandbox.client);
    const client = sandbox.asRole('tested', ON_S3);
    expect((await client.send(new HeadObjectCommand({ Bucket, Key }))).SSEKMSKeyId).toBe(keyArn);
    const head = refusal(client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' })));
    expect((await head).answer.slice(0, 3)).toBe('403');
  });

  test('a multipart upload needs the rights of a write to begin, Decrypt for each part and for a checksum at its end', async () => {
    const begin = (client: S3Client) =>
      client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...encryption() }));
    await refused(begin(sandbox.asRole('tested', ON_S3, mayUse('kms:Decrypt'))), 'kms:GenerateDataKey');
    const { UploadId } = await begin(sandbox.asRole('tested', ON_S3, mayUse(writing)));
    const part = (client: S3Client) =>
      client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x', ChecksumAlgorithm: 'CRC32' }));
    await refused(part(sandbox.asRole('tested', ON_S3, mayUse('kms:GenerateDataKey'))), 'kms:Decrypt');
    const { ETag, ChecksumCRC32 } = await part(sandbox.asRole('tested', ON_S3, mayUse('kms:Decrypt')));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag, ChecksumCRC32 }] };
    const complete = (client: S3Client) => client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    await refused(complete(sandbox.asRole('tested', ON_S3)), 'kms:Decrypt');
    await complete(sandbox.asRole('tested', ON_S3, mayUse('kms:Decrypt')));
  });

  test('who may not use the key is not told that it is disabled', async () => {
    await put(sandbox.client);
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    try {
      const tested = sandbox.asRole('tested', ON_S3);
      await refused(put(tested), 'kms:GenerateDataKey');
      await refused(get(tested), 'kms:Decrypt');
      const { answer } = await refusal(put(sandbox.asRole('tested', ON_S3, mayUse('kms:GenerateDataKey'))));
      expect(answer).toBe('400 KMS.DisabledException');
    } finally {
      await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
    }
  });

  test('one caller’s right is not another’s, and a right taken away is missed at once', async () => {
    await put(sandbox.client);
    const allowed = sandbox.asRole('allowed', ON_S3, mayUse(['kms:GenerateDataKey', 'kms:Decrypt']));
    await put(allowed);
    expect(await get(allowed)).toBe('x');
    const tested = sandbox.asRole('tested', ON_S3);
    await refused(put(tested), 'kms:GenerateDataKey');
    await refused(get(tested), 'kms:Decrypt');
    sandbox.asRole('allowed', ON_S3);
    expect((await refusal(get(allowed))).answer).toBe('403 AccessDenied');
    expect((await refusal(put(allowed))).answer).toBe('403 AccessDenied');
  });

  test('the encryption context names the object, or with a bucket key the bucket', async () => {
    const named = _name === 'a bucket key' ? `arn:aws:s3:::${Bucket}` : `arn:aws:s3:::${Bucket}/${Key}`;
    const narrowed = (arn: string) => mayUse(writing, { Condition: { StringEquals: { 'kms:EncryptionContext:aws:s3:arn': arn } } });
    await put(sandbox.asRole('tested', ON_S3, narrowed(named)));
    await refused(put(sandbox.asRole('tested', ON_S3, narrowed(`${named}-other`))), 'kms:GenerateDataKey');
  });
});

test('aws/s3 serves whoever may use S3, without a word about keys in their policies', async () => {
  const client = sandbox.asRole('tested', ON_S3);
  await client.send(new PutObjectCommand({ Bucket, Key: 'managed', Body: 'x', ServerSideEncryption: 'aws:kms' }));
  expect(await (await client.send(new GetObjectCommand({ Bucket, Key: 'managed' }))).Body?.transformToString()).toBe('x');
});
