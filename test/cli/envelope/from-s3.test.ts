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
      'does not say how',
    ],
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

  test('under a wrapping key is not one under a KMS key, whatever S3 says of it', async () => {
    serve(await message(...HERE), { ContentEncoding: 'x-sealdrop-cse-kms' });
    expect(await decrypting(OBJECT, folder.at('a'), '--secret', SECRET)).toMatchObject({ code: 1 });
  });
});

test('keys that lead out of a folder are refused one by one, and the rest comes', async () => {
  serve(BODY);
  const keys = ['p/good', 'p/../../bad', 'p//bad', 'p/a/../bad', 'p/..', 'p/folder/'];
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

test('a listing that ends without its end is no listing', async () => {
  s3.on(ListObjectsV2Command).resolves({ Contents: [], IsTruncated: true });
  expect(await decrypting('s3://a-bucket/p/', folder.at('out'), '--recursive')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no next page'),
  });
});
