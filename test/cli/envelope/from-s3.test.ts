import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAws } from '../../../cli/envelope/aws.ts';
import { decryptOne } from '../../../cli/envelope/decrypt-one.ts';
import { openOpening } from '../../../cli/envelope/opening.ts';
import { headError, s3Error } from '../../fixtures/aws.ts';
import { decrypting, encrypting, KEY, makeFolder, mockSecret, SECRET, VERSION } from './commands.ts';

const BODY = randomBytes(100_000);
const OBJECT = 's3://a-bucket/a/key';
const AES = { ServerSideEncryption: 'AES256' as const };

const s3 = mockClient(S3Client);
const secret = mockSecret();
let folder: ReturnType<typeof makeFolder>;

beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => {
  s3.reset();
  secret.resetHistory();
  folder.remove();
});

/** In pieces; `breakAt`: where the connection breaks. */
function bodyOf(bytes: Buffer, breakAt = Number.POSITIVE_INFINITY) {
  const pieces = (function* () {
    for (let at = 0; at < bytes.length; at += 1000) {
      if (at >= breakAt) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      yield bytes.subarray(at, at + 1000);
    }
  })();
  return Readable.from(pieces, { objectMode: false }) as NonNullable<GetObjectCommandOutput['Body']>;
}

function serve(bytes: Buffer, more: Partial<HeadObjectCommandOutput> = {}) {
  const about = { ...AES, ETag: '"e"', ContentLength: bytes.length, ...more };
  s3.on(HeadObjectCommand).resolves(about);
  s3.on(GetObjectCommand).callsFake(async () => ({ ...about, Body: bodyOf(bytes) }));
  return about;
}

const asked = () => s3.commandCalls(GetObjectCommand).map(({ args }) => args[0].input);

test('where a connection breaks, the rest of the same state is asked for', async () => {
  const about = serve(BODY);
  s3.on(GetObjectCommand)
    .resolvesOnce({ ...about, Body: bodyOf(BODY, 40_000) })
    .callsFakeOnce(async () => ({ ...about, ContentRange: 'bytes 40000-99999/100000', Body: bodyOf(BODY.subarray(40_000)) }));
  expect((await decrypting(OBJECT, folder.at('a'))).code).toBe(0);
  expect(folder.read('a').equals(BODY)).toBe(true);
  expect(asked()).toMatchObject([{ IfMatch: '"e"' }, { IfMatch: '"e"', Range: 'bytes=40000-' }]);
});

describe('no file is made of an object', () => {
  test.each<[what: string, prepare: () => void, said: string]>([
    [
      'whose connection breaks again and again',
      () => s3.on(GetObjectCommand).callsFake(async () => ({ ...AES, Body: bodyOf(BODY, 0) })),
      'the connection broke after 0 of 100000 bytes, 5 times (aborted)',
    ],
    ['that changes meanwhile', () => s3.on(GetObjectCommand).rejects(s3Error('PreconditionFailed', 412)), 'changed while it was read'],
    [
      'that comes under another encryption than S3 said',
      () => s3.on(GetObjectCommand).callsFake(async () => ({ ServerSideEncryption: 'aws:kms', Body: bodyOf(BODY) })),
      'something else than was asked for',
    ],
    [
      'of which more comes than there is',
      () => s3.on(GetObjectCommand).callsFake(async () => ({ ...AES, Body: bodyOf(Buffer.concat([BODY, BODY])) })),
      'more than',
    ],
    [
      'of which S3 does not say how it is encrypted',
      () => s3.on(HeadObjectCommand).resolves({ ETag: '"e"', ContentLength: 1 }),
      'does not say how it is encrypted',
    ],
    ['of which S3 does not say how long it is', () => s3.on(HeadObjectCommand).resolves({ ...AES, ETag: '"e"' }), 'does not say how long'],
  ])('%s', async (_, prepare, said) => {
    serve(BODY);
    prepare();
    const { code, stderr } = await decrypting(OBJECT, folder.at('a'));
    expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
    expect(folder.names()).toEqual([]);
  });

  test('that has not the checksum that S3 has of it', async () => {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(BODY));
    serve(BODY, { ChecksumCRC32: checksum.toString('base64'), ChecksumType: 'FULL_OBJECT' });
    expect((await decrypting(OBJECT, folder.at('a'))).code).toBe(0);
    serve(Buffer.concat([BODY.subarray(1), BODY.subarray(0, 1)]), {
      ChecksumCRC32: checksum.toString('base64'),
      ChecksumType: 'FULL_OBJECT',
    });
    expect(await decrypting(OBJECT, folder.at('b'))).toMatchObject({ code: 1, stderr: expect.stringContaining('as its checksum says') });
    expect(folder.names()).toEqual(['a']);
  });
});

describe('what is demanded and cannot be met is refused', () => {
  const ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const BY_KMS = ['--kms-key', ARN];
  const BY_SECRET = ['--secret', SECRET];
  const KMS = { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: ARN };

  test.each<[said: string, about: Partial<HeadObjectCommandOutput>, args: string[]]>([
    ['sse-s3, where --kms-key cannot', AES, BY_KMS],
    ['sse-s3, where --secret cannot', AES, BY_SECRET],
    ['sse-s3, where --secret and --secret-version cannot', AES, [...BY_SECRET, '--secret-version', VERSION]],
    ['sse-s3, where --kms-key and --secret and --context cannot', AES, [...BY_KMS, ...BY_SECRET, '--context', 'tenant=a']],
    ['sse-s3, where --context cannot', AES, ['--context', 'tenant=a']],
    ['sse-s3, where --any-context cannot', AES, ['--any-context']],
    ['sse-kms, where --secret cannot', KMS, BY_SECRET],
    ['sse-kms, where --context cannot', KMS, [...BY_KMS, '--context', 'tenant=a']],
    ['cse-kms, where --secret cannot', { ...KMS, ContentEncoding: 'x-sealdrop-cse-kms' }, BY_SECRET],
    ['cse-aes, where --kms-key cannot', { ContentEncoding: 'x-sealdrop-cse-aes' }, BY_KMS],
    ['cse-aes, where --secret-version cannot', { ContentEncoding: 'x-sealdrop-cse-aes' }, [...BY_SECRET, '--secret-version', VERSION]],
  ])('under %s', async (said, about, args) => {
    serve(BODY, about);
    const { code, stderr } = await decrypting(OBJECT, folder.at('a'), ...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`is under ${said} be met`)]);
    expect([folder.names(), asked()]).toEqual([[], []]);
  });

  test('under a KMS key that S3 does not name', async () => {
    serve(BODY, { ServerSideEncryption: 'aws:kms' });
    const { code, stderr } = await decrypting(OBJECT, folder.at('a'), ...BY_KMS);
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not say under which KMS key')]);
  });

  test('and what can be is not', async () => {
    serve(BODY, KMS);
    expect((await decrypting(OBJECT, folder.at('a'), ...BY_KMS, ...BY_SECRET)).code).toBe(0);
  });
});

describe('an object that begins as a message does', () => {
  test.each(['020478', '020578', '01800378', '01800014'])('%s is not taken for plaintext unless --mode says so', async (beginning) => {
    const bytes = Buffer.concat([Buffer.from(beginning, 'hex'), BODY]);
    const about = serve(bytes);
    s3.on(GetObjectCommand).callsFake(async () => ({ ...about, Body: Readable.from(singly(bytes), { objectMode: false }) }));
    const { code, stderr } = await decrypting(OBJECT, folder.at('a'));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/looks like a message of the Encryption SDK.*\n.*--mode cse-kms.*--mode sse-s3/),
    ]);
    expect(folder.names()).toEqual([]);
    expect((await decrypting(OBJECT, folder.at('a'), '--mode', 'sse-s3')).code).toBe(0);
    expect(folder.read('a').equals(bytes)).toBe(true);
  });

  test.each(['', '02', '0204', '01800', '0180ff78', '02047900', '00020478'])('%j does not', async (beginning) => {
    const bytes = Buffer.from(beginning, 'hex');
    serve(bytes);
    expect((await decrypting(OBJECT, folder.at('a'))).code).toBe(0);
    expect(folder.read('a').equals(bytes)).toBe(true);
  });

  /** The first bytes one by one. */
  function* singly(bytes: Buffer) {
    for (let at = 0; at < 10; at += 1) yield bytes.subarray(at, at + 1);
    yield bytes.subarray(10);
  }
});

describe('an object under SSE-C', () => {
  const SSECustomerKeyMD5 = createHash('md5').update(Buffer.from(KEY, 'hex')).digest('base64');
  const wanting = (input: { SSECustomerKey?: string }) => {
    if (input.SSECustomerKey === undefined) throw s3Error('InvalidRequest', 400);
  };
  const serveUnder = (md5: string) => {
    const about = { ETag: '"e"', ContentLength: BODY.length, SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5 };
    s3.on(HeadObjectCommand).callsFake(async (input) => {
      if (input.SSECustomerKey === undefined) throw headError(400);
      return about;
    });
    s3.on(GetObjectCommand).callsFake(async (input) => {
      wanting(input);
      return { ...about, Body: bodyOf(BODY) };
    });
  };

  test('opens with the key of the secret, which S3 answers for', async () => {
    serveUnder(SSECustomerKeyMD5);
    const { code, stdout } = await decrypting(OBJECT, folder.at('a'), '--secret', SECRET);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`sse-c under version ${VERSION} of the secret`)]);
    expect(folder.read('a').equals(BODY)).toBe(true);
  });

  test('does not where S3 answers for another key', async () => {
    serveUnder('AAAAAAAAAAAAAAAAAAAAAA==');
    expect(await decrypting(OBJECT, folder.at('a'), '--secret', SECRET)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('answers for another key'),
    });
    expect(existsSync(folder.at('a'))).toBe(false);
  });
});

describe('a message', () => {
  const message = async (...more: string[]) => {
    folder.write('plain', BODY);
    await encrypting(folder.at('plain'), folder.at('message'), '--secret', SECRET, '--force', ...more);
    return folder.read('message');
  };
  const HERE = ['--context', 'bucket=a-bucket'];
  const CODED = { ContentEncoding: 'gzip, x-sealdrop-cse-aes' };

  test('that names its object or, where a data key was reused, its bucket alone opens there; what it still is, is told', async () => {
    for (const context of [HERE, [...HERE, '--context', 'key=a/key']]) {
      serve(await message(...context), CODED);
      const { code, stdout } = await decrypting(OBJECT, folder.at('a'), '--secret', SECRET, '--force');
      expect([code, stdout]).toEqual([0, expect.stringContaining('its Content-Encoding is gzip')]);
      expect(folder.read('a').equals(BODY)).toBe(true);
    }
  });

  test.each([
    ['no place', []],
    ['another bucket', ['--context', 'bucket=other']],
    ['another key', [...HERE, '--context', 'key=other']],
  ])('that names %s does not', async (_, context) => {
    serve(await message(...context), CODED);
    expect(await decrypting(OBJECT, folder.at('a'), '--secret', SECRET)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/another (bucket|key)/),
    });
  });

  test('that no file can be made of is let go', async () => {
    const about = serve(await message(...HERE), CODED);
    const bodies: Readable[] = [];
    s3.on(GetObjectCommand).callsFake(async () => {
      const Body = bodyOf(folder.read('message')) as Readable;
      bodies.push(Body);
      return { ...about, Body };
    });
    const { signal } = new AbortController();
    const asked = { kmsKeys: [], secret: SECRET, secretVersion: null, context: {}, anyContext: false };
    const aws = openAws('eu-west-1');
    const around = { aws, signal, stdin: process.stdin, stdout: process.stdout };
    const target = { kind: 'file' as const, path: folder.at('nowhere/file') };
    const done = decryptOne(
      { kind: 's3', bucket: 'a-bucket', key: 'a/key' },
      target,
      openOpening(asked, aws),
      { ...asked, mode: null, force: false, bucketOwner: null },
      around,
      () => () => {},
    );
    await expect(done).rejects.toThrow('ENOENT');
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  test('under a wrapping key is not one under a KMS key, whatever S3 says of it', async () => {
    serve(await message(...HERE), { ContentEncoding: 'x-sealdrop-cse-kms' });
    expect(await decrypting(OBJECT, folder.at('a'), '--secret', SECRET)).toMatchObject({ code: 1 });
  });
});

test('keys that lead out of a folder are refused one by one, and the rest comes', async () => {
  serve(BODY);
  const keys = ['p/good', 'p/../../bad', 'p//bad', 'p/a/../bad', 'p/..'];
  s3.on(ListObjectsV2Command).resolvesOnce({
    Contents: keys.slice(0, 2).map((Key) => ({ Key })),
    IsTruncated: true,
    NextContinuationToken: 't',
  });
  s3.on(ListObjectsV2Command, { ContinuationToken: 't' }).resolves({ Contents: keys.slice(2).map((Key) => ({ Key })) });
  const { code, stdout, stderr } = await decrypting('s3://a-bucket/p/', folder.at('in/out'), '--recursive');
  expect([code, stdout]).toEqual([1, expect.stringMatching(/1 file, .*; 4 failed$/)]);
  expect(stderr.match(/names no file below/g)).toHaveLength(4);
  expect([folder.names(), folder.names('in'), folder.names('in/out')]).toEqual([['in'], ['out'], ['good']]);
});

test('keys that end in / are told unless they have no bytes', async () => {
  serve(BODY);
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'p/a' }, { Key: 'p/folder/', Size: 0 }, { Key: 'p/file/', Size: 5 }] });
  const { code, stdout, stderr } = await decrypting('s3://a-bucket/p/', folder.at('out'), '--recursive');
  expect([code, stdout]).toEqual([1, expect.stringMatching(/1 file, .*; 1 failed$/)]);
  expect(stderr).toContain('file/: it has an empty name in it');
});

test('where nobody answers any more, what was done is told, and the rest is not begun', async () => {
  const about = serve(BODY);
  const names = Array.from({ length: 20 }, (_, index) => `p/${index}`);
  s3.on(ListObjectsV2Command).resolves({ Contents: names.map((Key) => ({ Key, Size: BODY.length })) });
  let heads = 0;
  s3.on(HeadObjectCommand).callsFake(async () => {
    heads += 1;
    if (heads > 8) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    return about;
  });
  const { code, stdout, stderr } = await decrypting('s3://a-bucket/p/', folder.at('out'), '--recursive', '--json');
  const { ok, files, failed, notTried } = JSON.parse(stdout) as { ok: boolean; files: number; failed: unknown[]; notTried: number };
  expect([code, ok, files, folder.names('out').length]).toEqual([1, false, 8, 8]);
  expect(notTried).toBeGreaterThan(0);
  expect(files + failed.length + notTried).toBe(20);
  expect(stderr).toContain('There is no connection');

  heads = 100;
  const none = await decrypting('s3://a-bucket/p/', folder.at('none'), '--recursive');
  expect([none.code, none.stdout]).toEqual([2, '']);
});

test('a listing that ends without its end is no listing', async () => {
  s3.on(ListObjectsV2Command).resolves({ Contents: [], IsTruncated: true });
  expect(await decrypting('s3://a-bucket/p/', folder.at('out'), '--recursive')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no next page'),
  });
});
