import { mkdirSync } from 'node:fs';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { partBytesFor } from '../../../cli/envelope/to-s3.ts';
import { s3Error } from '../../fixtures/aws.ts';
import { encrypting, makeFolder, mockSecret, SECRET } from './commands.ts';

const MIB = 1024 * 1024;
const OWNER = '111122223333';
const OBJECT = 's3://a-bucket/a/key';
const BY = ['--secret', SECRET];
const AES = { ServerSideEncryption: 'AES256' as const };

const s3 = mockClient(S3Client);
const sts = mockClient(STSClient);
const secret = mockSecret();
let folder: ReturnType<typeof makeFolder>;

beforeEach(() => {
  folder = makeFolder();
  sts.on(GetCallerIdentityCommand).resolves({ Account: OWNER });
  s3.on(ListObjectsV2Command).resolves({});
  s3.on(ListMultipartUploadsCommand).resolves({ Uploads: [{ Key: 'a/key', UploadId: 'of-somebody-else' }] });
  s3.on(PutObjectCommand).callsFake(async ({ ChecksumCRC32 }) => ({ ...AES, ETag: '"e"', VersionId: 'v1', ChecksumCRC32 }));
  s3.on(CreateMultipartUploadCommand).resolves({ ...AES, UploadId: 'u' });
  s3.on(UploadPartCommand).callsFake(async ({ PartNumber }) => ({ ...AES, ETag: `"${PartNumber}"` }));
  s3.on(CompleteMultipartUploadCommand).callsFake(async ({ ChecksumCRC32 }) => ({
    ...AES,
    ETag: '"e-3"',
    ChecksumCRC32,
    ChecksumType: 'FULL_OBJECT',
  }));
  s3.on(AbortMultipartUploadCommand).resolves({});
  folder.write('small', 'hello');
  folder.write('large', Buffer.alloc(18 * MIB, 7));
});
afterEach(() => {
  s3.reset();
  sts.reset();
  secret.resetHistory();
  folder.remove();
});

const callsOf = () => s3.calls().map(({ args }) => args[0].constructor.name.replace('Command', ''));
const aborted = () => s3.commandCalls(AbortMultipartUploadCommand).map(({ args }) => args[0].input.UploadId);

test('a small file goes by one request, on condition that nothing is there, with all that an object of ours has', async () => {
  const { code, stdout } = await encrypting(folder.at('small'), OBJECT, ...BY, '--content-type', 'text/plain');
  expect([code, stdout]).toEqual([0, expect.stringContaining('version v1')]);
  expect(callsOf()).toEqual(['ListObjectsV2', 'PutObject']);
  expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
    Bucket: 'a-bucket',
    Key: 'a/key',
    ExpectedBucketOwner: OWNER,
    IfNoneMatch: '*',
    ContentType: 'text/plain',
    ContentEncoding: 'x-sealdrop-cse-aes',
    ServerSideEncryption: 'AES256',
    ChecksumCRC32: expect.any(String),
  });
});

test('a large one goes in parts, and leaves uploads of the same key that others began', async () => {
  expect((await encrypting(folder.at('large'), OBJECT, ...BY)).code).toBe(0);
  expect(s3.commandCalls(UploadPartCommand)).toHaveLength(3);
  expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
    IfNoneMatch: '*',
    MpuObjectSize: expect.any(Number),
  });
  expect(aborted()).toEqual([]);
});

test('the bucket owner that is said is held to, and nobody is asked for another', async () => {
  await encrypting(folder.at('small'), OBJECT, ...BY, '--bucket-owner', '999999999999');
  expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input.ExpectedBucketOwner).toBe('999999999999');
  expect(sts.calls()).toHaveLength(0);
});

describe('an object that is there', () => {
  const there = { Contents: [{ Key: 'a%2Fkey', ETag: '"old"' }] };

  test('is refused before anything is read or sent', async () => {
    s3.on(ListObjectsV2Command).resolves(there);
    const { code, stderr } = await encrypting(folder.at('small'), OBJECT, ...BY);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is there already')]);
    expect(callsOf()).toEqual(['ListObjectsV2']);
  });

  test('is refused by S3 where it came meanwhile, or may not be listed', async () => {
    s3.on(ListObjectsV2Command).rejects(s3Error('AccessDenied', 403));
    s3.on(PutObjectCommand).rejects(s3Error('PreconditionFailed', 412));
    s3.on(CompleteMultipartUploadCommand).rejects(s3Error('PreconditionFailed', 412));
    for (const name of ['small', 'large']) {
      const { code, stderr } = await encrypting(folder.at(name), OBJECT, ...BY);
      expect([code, stderr]).toEqual([1, expect.stringContaining('is there already')]);
    }
    expect(aborted()).toEqual(['u']);
  });

  test('is written over with --force, the state that is there and no other', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce(there)
      .resolves({ Contents: [{ Key: 'a%2Fkey', ETag: '"newer"' }] });
    s3.on(PutObjectCommand)
      .rejectsOnce(s3Error('PreconditionFailed', 412))
      .resolves({ ...AES, ETag: '"e"' });
    await encrypting(folder.at('small'), OBJECT, ...BY, '--force');
    expect(s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.IfMatch)).toEqual(['old', 'newer']);
  });
});

describe('an upload that cannot be ended is aborted', () => {
  test.each<[what: string, fail: () => void, said: string]>([
    ['when S3 refuses a part', () => s3.on(UploadPartCommand, { PartNumber: 2 }).rejects(s3Error('AccessDenied', 403)), 'AccessDenied'],
    ['when S3 refuses the end', () => s3.on(CompleteMultipartUploadCommand).rejects(s3Error('BadDigest', 400)), 'checksum'],
    ['when a part is not encrypted as asked', () => s3.on(UploadPartCommand).resolves({ ETag: '"1"' }), 'is not as asked'],
    ['when the upload is not encrypted as asked', () => s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' }), 'is not as asked'],
    [
      'when the checksum is another',
      () => s3.on(CompleteMultipartUploadCommand).resolves({ ...AES, ETag: '"e"', ChecksumCRC32: 'AAAAAA==', ChecksumType: 'FULL_OBJECT' }),
      'not the source',
    ],
  ])('%s', async (_, fail, said) => {
    fail();
    const { code, stdout, stderr } = await encrypting(folder.at('large'), OBJECT, ...BY);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(said)]);
    expect(aborted()).toEqual(['u']);
  });

  test('when the command is interrupted, which ends as a shell expects', async () => {
    s3.on(UploadPartCommand).callsFake(async ({ PartNumber }) => {
      process.emit('SIGINT');
      return { ...AES, ETag: `"${PartNumber}"` };
    });
    const { code, stderr } = await encrypting(folder.at('large'), OBJECT, ...BY);
    expect([code, stderr]).toEqual([130, 'Interrupted before S3 said that it has the object.']);
    expect([aborted(), s3.commandCalls(CompleteMultipartUploadCommand)]).toEqual([['u'], []]);
  });
});

test('a folder that is interrupted is told by how much of it is there, and begins no more', async () => {
  mkdirSync(folder.at('many'));
  for (let index = 0; index < 20; index += 1) folder.write(`many/${index}`, 'x');
  let puts = 0;
  s3.on(PutObjectCommand).callsFake(async ({ ChecksumCRC32 }) => {
    puts += 1;
    if (puts === 3) process.emit('SIGTERM');
    return { ...AES, ETag: '"e"', ChecksumCRC32 };
  });
  const { code, stdout, stderr } = await encrypting(folder.at('many'), 's3://a-bucket/', ...BY, '--recursive', '--json');
  const { ok, files } = JSON.parse(stdout) as { ok: boolean; files: number };
  expect([code, ok, stderr]).toEqual([143, false, `Interrupted. ${files} of 20 files are done.`]);
  expect(puts).toBeLessThan(8);
});

test.each([
  [null, 8 * MIB, 8 * MIB],
  [0, 8 * MIB, 1],
  [100, 8 * MIB, 101],
  [8 * MIB - 1, 8 * MIB, 8 * MIB],
  [8 * MIB, 8 * MIB, 8 * MIB],
  [80_000 * MIB, 8 * MIB, 8 * MIB],
  [80_000 * MIB + 1, 8 * MIB, 9 * MIB],
])('of %j bytes, in parts of %i at least, a part has %i', (size, least, part) => {
  expect(partBytesFor(size, least)).toBe(part);
});
