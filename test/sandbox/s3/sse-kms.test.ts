import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
let kms: KMSClient;
let KeyId = '';
let keyArn = '';
beforeAll(async () => {
  sandbox = await openSandbox();
  kms = new KMSClient({ endpoint: sandbox.url, region: 'us-east-1', credentials: sandbox.credentials, maxAttempts: 1 });
});
beforeEach(async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  KeyId = KeyMetadata?.KeyId ?? '';
  keyArn = KeyMetadata?.Arn ?? '';
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  kms.destroy();
  await sandbox[Symbol.asyncDispose]();
});

const put = (SSEKMSKeyId: string | undefined, extra: object = {}, Key = 'object') =>
  sandbox.client.send(
    new PutObjectCommand({ Bucket, Key, Body: 'body', ServerSideEncryption: 'aws:kms', ...(SSEKMSKeyId ? { SSEKMSKeyId } : {}), ...extra }),
  );
const get = async (Key = 'object') => (await sandbox.client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

describe('the key', () => {
  test('is named by id, ARN, alias or alias ARN, and answered as key ARN', async () => {
    const alias = `alias/test-${KeyId}`;
    await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }));
    for (const name of [KeyId, keyArn, alias, `arn:aws:kms:us-east-1:000000000000:${alias}`]) {
      expect((await put(name)).SSEKMSKeyId).toBe(keyArn);
      expect(await get()).toBe('body');
    }
  });

  test('is aws/s3 when none is named', async () => {
    expect((await put(undefined)).SSEKMSKeyId).toBe(sandbox.kms.requireUsable('alias/aws/s3'));
  });

  test('that does not exist is refused by put, copy and upload', async () => {
    await put(undefined, {}, 'source');
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: '134f2428-cec1-4b25-a1ae-9048164dba47' } as const;
    const refused = {
      answer: '400 KMS.NotFoundException',
      message: "Key 'arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist",
    };
    expect(await refusal(put(encryption.SSEKMSKeyId))).toMatchObject(refused);
    const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source`, ...encryption });
    expect(await refusal(sandbox.client.send(copy))).toMatchObject(refused);
    expect(await refusal(sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'up', ...encryption })))).toMatchObject(
      refused,
    );
  });

  test('without aws:kms, or with another method, is refused', async () => {
    const call = (headers: Record<string, string>) =>
      refusal(sandbox.adding(headers).send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' })));
    const key = { 'x-amz-server-side-encryption-aws-kms-key-id': KeyId };
    expect((await call(key)).message).toBe(
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    );
    expect((await call({ ...key, 'x-amz-server-side-encryption': 'AES256' })).answer).toBe('400 InvalidArgument');
    expect(await call({ 'x-amz-server-side-encryption': 'aes256' })).toMatchObject({
      answer: '400 InvalidArgument',
      message: 'The encryption method specified is not supported',
    });
  });
});

describe.each<[string, Partial<PutObjectCommandInput>]>([
  ['a data key', {}],
  ['a bucket key', { BucketKeyEnabled: true }],
  ['two layers', { ServerSideEncryption: 'aws:kms:dsse' }],
])('with %s', (_, extra) => {
  test('a disabled key refuses writes and reads at once, and HEAD still answers', async () => {
    await put(keyArn, extra);
    expect(await get()).toBe('body');
    await kms.send(new DisableKeyCommand({ KeyId }));
    const refused = { answer: '400 KMS.DisabledException', message: `${keyArn} is disabled.` };
    expect(await refusal(put(keyArn, extra))).toMatchObject(refused);
    expect(await refusal(get())).toMatchObject(refused);
    expect((await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'object' }))).SSEKMSKeyId).toBe(keyArn);
    const withChecksum = sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'object', ChecksumMode: 'ENABLED' }));
    expect((await refusal(withChecksum)).answer).toMatch(/^400 /);
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect(await get()).toBe('body');
  });

  test('a key that awaits deletion refuses, and serves again when the deletion is cancelled', async () => {
    await put(keyArn, extra);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    const refused = { answer: '400 KMS.KMSInvalidStateException', message: `${keyArn} is pending deletion.` };
    expect(await refusal(put(keyArn, extra))).toMatchObject(refused);
    expect(await refusal(get())).toMatchObject(refused);
    const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/object` });
    expect(await refusal(sandbox.client.send(copy))).toMatchObject(refused);
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect(await get()).toBe('body');
  });

  test('a part needs the key as well', async () => {
    const { UploadId } = await sandbox.client.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key: 'up',
        ServerSideEncryption: extra.ServerSideEncryption ?? 'aws:kms',
        SSEKMSKeyId: keyArn,
        BucketKeyEnabled: extra.BucketKeyEnabled,
      }),
    );
    await kms.send(new DisableKeyCommand({ KeyId }));
    const part = new UploadPartCommand({ Bucket, Key: 'up', UploadId, PartNumber: 1, Body: 'x' });
    expect((await refusal(sandbox.client.send(part))).answer).toBe('400 KMS.DisabledException');
  });
});

describe('the encryption context', () => {
  const context = (pairs: unknown) => Buffer.from(JSON.stringify(pairs)).toString('base64');

  test('of the caller is kept, given back by the write, and used when reading', async () => {
    const SSEKMSEncryptionContext = context({ team: 'ops' });
    const answer = await put(keyArn, { SSEKMSEncryptionContext });
    expect(answer.SSEKMSEncryptionContext).toBe(SSEKMSEncryptionContext);
    expect(await get()).toBe('body');
    sandbox.state.db.prepare("UPDATE s3_object SET sealed = replace(sealed, 'ops', 'dev') WHERE key = 'object'").run();
    expect((await refusal(get())).answer).toBe('400 KMS.InvalidCiphertextException');
  });

  test('binds an object to its name: a row under another key cannot be read', async () => {
    await put(keyArn, {}, 'moved');
    sandbox.state.db.prepare("UPDATE s3_object SET key = 'elsewhere' WHERE key = 'moved'").run();
    expect((await refusal(get('elsewhere'))).answer).toBe('400 KMS.InvalidCiphertextException');
  });

  test.each(['%%%', Buffer.from('[1]').toString('base64'), context({ n: 1 }), context('text')])(
    '%s is refused',
    async (SSEKMSEncryptionContext) => {
      expect(await refusal(put(keyArn, { SSEKMSEncryptionContext }))).toMatchObject({
        answer: '400 InvalidArgument',
        message: expect.stringContaining('shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map'),
      });
    },
  );
});

test('DSSE takes no bucket key', async () => {
  const { answer } = await refusal(put(keyArn, { ServerSideEncryption: 'aws:kms:dsse', BucketKeyEnabled: true }));
  expect(answer).toBe('400 InvalidArgument');
});
