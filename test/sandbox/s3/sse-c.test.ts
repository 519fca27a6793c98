import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, copySourceKey, customerKey, md5Base64, openSandbox, refusal, type Sandbox } from './sandbox.ts';

const KEY = randomBytes(32);
const OTHER = randomBytes(32);
const Key = 'secret';
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'body', Tagging: 'a=b', ...customerKey(KEY) }));
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: 'body' }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const get = (extra: object, key = Key) => sandbox.client.send(new GetObjectCommand({ Bucket, Key: key, ...extra }));
const head = (extra: object, key = Key) => sandbox.client.send(new HeadObjectCommand({ Bucket, Key: key, ...extra }));
const STORED =
  'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.';

describe('reading', () => {
  test('without the key is a 400, with another a 403, for GET and HEAD', async () => {
    expect(await refusal(get({}))).toMatchObject({ answer: '400 InvalidRequest', message: STORED });
    expect(await refusal(get(customerKey(OTHER)))).toMatchObject({
      answer: '403 AccessDenied',
      message: 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    });
    expect((await refusal(head({}))).answer).toMatch(/^400 /);
    expect((await refusal(head(customerKey(OTHER)))).answer).toMatch(/^403 /);
  });

  test('with a key an object that has none is a 400', async () => {
    const { answer, message } = await refusal(get(customerKey(KEY), 'plain'));
    expect([answer, message]).toEqual(['400 InvalidRequest', 'The encryption parameters are not applicable to this object.']);
    expect((await refusal(head(customerKey(KEY), 'plain'))).answer).toMatch(/^400 /);
  });

  test('tags need no key, attributes do', async () => {
    expect((await sandbox.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([{ Key: 'a', Value: 'b' }]);
    const attributes = (extra: object) =>
      sandbox.client.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectSize'], ...extra }));
    expect((await refusal(attributes({}))).message).toBe(STORED);
    expect((await attributes(customerKey(KEY))).ObjectSize).toBe(4);
  });

  test('each version has its own key', async () => {
    const put = (key: Buffer) => sandbox.client.send(new PutObjectCommand({ Bucket: 'versioned', Key, Body: 'x', ...customerKey(key) }));
    const [first, second] = [await put(KEY), await put(OTHER)];
    const version = (VersionId: string | undefined, key: Buffer) =>
      sandbox.client.send(new GetObjectCommand({ Bucket: 'versioned', Key, VersionId, ...customerKey(key) }));
    expect(await (await version(first.VersionId, KEY)).Body?.transformToString()).toBe('x');
    expect((await refusal(version(second.VersionId, KEY))).answer).toBe('403 AccessDenied');
  });
});

describe('headers', () => {
  const prefix = 'x-amz-server-side-encryption-customer-';
  const put = (headers: Record<string, string>) =>
    refusal(sandbox.adding(headers).send(new PutObjectCommand({ Bucket, Key: 'refused', Body: 'x' })));
  const trio = (key: Buffer) => ({
    [`${prefix}algorithm`]: 'AES256',
    [`${prefix}key`]: key.toString('base64'),
    [`${prefix}key-md5`]: md5Base64(key),
  });
  const without = (name: string) => Object.fromEntries(Object.entries(trio(KEY)).filter(([header]) => header !== `${prefix}${name}`));

  test.each([
    ['no algorithm', without('algorithm'), '400 InvalidArgument', 'must provide a valid encryption algorithm.'],
    ['no key', without('key'), '400 InvalidArgument', 'must provide an appropriate secret key.'],
    ['no MD5', without('key-md5'), '400 InvalidArgument', 'must provide the client calculated MD5 of the secret key.'],
    [
      'another algorithm',
      { ...trio(KEY), [`${prefix}algorithm`]: 'AES128' },
      '400 InvalidEncryptionAlgorithmError',
      'Supported value: AES256.',
    ],
    [
      'another MD5',
      { ...trio(KEY), [`${prefix}key-md5`]: md5Base64(OTHER) },
      '400 InvalidArgument',
      'did not match the hash that was provided.',
    ],
    ['31 bytes', trio(KEY.subarray(1)), '400 InvalidArgument', 'The secret key was invalid for the specified algorithm.'],
    [
      '33 bytes',
      trio(Buffer.concat([KEY, KEY.subarray(0, 1)])),
      '400 InvalidArgument',
      'The secret key was invalid for the specified algorithm.',
    ],
    [
      'SSE-S3 as well',
      { ...trio(KEY), 'x-amz-server-side-encryption': 'AES256' },
      '400 InvalidArgument',
      'is incompatible with the encryption method specified',
    ],
    ['plain HTTP', { ...trio(KEY), 'x-sandbox-insecure': '1' }, '400 InvalidRequest', 'must be made over a secure connection.'],
  ])('%s is refused', async (_, headers, answer, message) => {
    expect(await put(headers)).toMatchObject({ answer, message: expect.stringContaining(message) });
    expect((await refusal(get({}, 'refused'))).answer).toBe('404 NoSuchKey');
  });

  test('no refusal shows the key', async () => {
    const response = await put({ ...trio(KEY), [`${prefix}key-md5`]: md5Base64(OTHER) });
    expect(JSON.stringify(response)).not.toContain(KEY.toString('base64'));
  });
});

describe('copying', () => {
  const copy = (extra: object) =>
    sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}`, ...extra }));

  test('needs the key of the source', async () => {
    expect((await refusal(copy({}))).message).toBe(STORED);
    expect((await refusal(copy(copySourceKey(OTHER)))).answer).toBe('403 AccessDenied');
    expect((await refusal(copy(customerKey(KEY)))).message).toBe(STORED);
  });

  test('re-encrypts under another key', async () => {
    await copy({ ...copySourceKey(KEY), ...customerKey(OTHER) });
    expect(await (await get(customerKey(OTHER), 'copy')).Body?.transformToString()).toBe('body');
    expect((await refusal(get(customerKey(KEY), 'copy'))).answer).toBe('403 AccessDenied');
  });

  test('onto itself rotates the key', async () => {
    const put = await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'rotated', Body: 'body', ...customerKey(KEY) }));
    const CopySource = `${Bucket}/rotated`;
    const rotated = await sandbox.client.send(
      new CopyObjectCommand({ Bucket, Key: 'rotated', CopySource, ...copySourceKey(KEY), ...customerKey(OTHER) }),
    );
    expect(rotated.CopyObjectResult?.ETag).not.toBe(put.ETag);
    expect(await (await get(customerKey(OTHER), 'rotated')).Body?.transformToString()).toBe('body');
  });

  test('a source key for a source without one is refused', async () => {
    const call = sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/plain`, ...copySourceKey(KEY) }));
    expect((await refusal(call)).message).toBe('The encryption parameters are not applicable to this object.');
  });
});

test('every part carries the key that began the upload', async () => {
  const begin = async (extra: object) =>
    (await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts', ...extra }))).UploadId;
  const part = (UploadId: string | undefined, extra: object) =>
    refusal(sandbox.client.send(new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'x', ...extra })));
  const needsKey =
    'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.';
  const [withKey, plain] = [await begin(customerKey(KEY)), await begin({})];
  expect(await part(withKey, {})).toMatchObject({ answer: '400 InvalidRequest', message: needsKey });
  expect(await part(plain, customerKey(KEY))).toMatchObject({ answer: '400 InvalidRequest', message: needsKey });
  expect(await part(withKey, customerKey(OTHER))).toMatchObject({
    answer: '400 InvalidRequest',
    message: 'The provided encryption parameters did not match the ones used originally.',
  });
});

test('nothing that is stored is the key, and the same key is stored differently each time', async () => {
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'again', Body: 'body', ...customerKey(KEY) }));
  const rows = sandbox.state.db.prepare("SELECT sealed FROM s3_object WHERE key IN ('secret', 'again')").all();
  const texts = rows.map(({ sealed }) => String(sealed));
  expect(new Set(texts).size).toBe(texts.length);
  for (const text of texts) {
    expect(text).not.toContain(KEY.toString('base64'));
    expect(text).not.toContain(md5Base64(KEY));
  }
});
