/**
 * What arrives as it left: one table of properties, a test for each in one call and in parts, under every mode where that matters.
 * Of what was encrypted before S3 saw it, it is the plaintext that arrives, with all that was said of it.
 */
import { type GetObjectCommandOutput, type PutObjectCommandInput, PutObjectTaggingCommand, type Tag } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CopyJob, StoredChecksum } from '../../src/copy/copy-job.ts';
import { differences } from '../../src/encryption/index.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';
import { type CopyWorld, copyWorld, ONE_CALL_BYTES, PART_BYTES, SOURCE_BUCKET, TARGET_BUCKET } from '../copy/copy-world.ts';
import { CLIENT_SIDE_MODES, MODES } from '../fixtures/objects.ts';
import { sample } from '../sandbox/s3/sandbox.ts';

let world: CopyWorld;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

/** How many bytes make an object go this way. */
const WAYS = {
  'one call': 500,
  parts: ONE_CALL_BYTES + PART_BYTES + 1,
  'a short stream': 100,
  'a stream in parts': ONE_CALL_BYTES + PART_BYTES + 1,
};
type Way = keyof typeof WAYS;

interface Property {
  /** What the source is put with. */
  put: Partial<PutObjectCommandInput>;
  /** Sent with the put, past the SDK's own idea of a header. */
  raw?: Record<string, string>;
  storageClass?: CopyJob['storageClass'];
  /** What both sides must say, where that is not what was put. */
  expected?: Partial<GetObjectCommandOutput>;
  tags?: Tag[];
  /** As S3 names it, which it does not for STANDARD. */
  storedClass?: string;
}

const TWO_KIB = 2 * 1024;
/** What must be the same on both sides. */
const HEADERS = [
  'ContentType',
  'ContentEncoding',
  'ContentLanguage',
  'ContentDisposition',
  'CacheControl',
  'ExpiresString',
  'Metadata',
] as const;

/** What S3 gives for text that is not ASCII, and what it must be sent to store it. */
const word = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
const TEN_TAGS = Array.from({ length: 10 }, (_, index) => ({ Key: `tag ${index} é+=/:`, Value: index === 0 ? '' : `value @ ${index} ü` }));
const asHeader = (tags: typeof TEN_TAGS) =>
  tags.map(({ Key, Value }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`).join('&');

const PROPERTIES: Record<string, Property> = {
  'content type': { put: { ContentType: 'text/plain; charset=utf-8' } },
  'the content type that S3 gives by itself': { put: { ContentType: 'binary/octet-stream' } },
  'content encoding': { put: { ContentEncoding: 'gzip' } },
  'content language': { put: { ContentLanguage: 'de, en' } },
  'content disposition': { put: { ContentDisposition: "attachment; filename*=UTF-8''%e2%82%ac.txt" } },
  'cache control': { put: { CacheControl: 'private, max-age=60' } },
  expires: { put: {}, raw: { expires: 'Thu, 02 Jan 2031 03:04:05 GMT' }, expected: { ExpiresString: 'Thu, 02 Jan 2031 03:04:05 GMT' } },
  'an Expires that is no date': { put: {}, raw: { expires: '0' }, expected: { ExpiresString: '0' } },
  'user metadata': { put: { Metadata: { owner: 'pat', 'case-number': '42', spaced: 'a  b', equals: '=?no word?=' } } },
  'user metadata that is not ASCII': { put: { Metadata: { owner: word('Zoë 🎉'), place: 'Zurich' } } },
  '2 KB of user metadata': { put: { Metadata: { long: 'x'.repeat(TWO_KIB - 'long'.length) } } },
  '2 KB of user metadata that is not ASCII': { put: { Metadata: { long: word('é'.repeat((TWO_KIB - 'long'.length) / 2)) } } },
  'one tag': { put: { Tagging: 'class=internal' }, tags: [{ Key: 'class', Value: 'internal' }] },
  'ten tags': { put: { Tagging: asHeader(TEN_TAGS) }, tags: TEN_TAGS },
  'the storage class that policy names': { put: { StorageClass: 'ONEZONE_IA' }, storageClass: 'STANDARD_IA', storedClass: 'STANDARD_IA' },
  'STANDARD, whatever the source has, where policy names it': { put: { StorageClass: 'STANDARD_IA' } },
  'the storage class, kept': { put: { StorageClass: 'GLACIER_IR' }, storageClass: 'keep', storedClass: 'GLACIER_IR' },
  'STANDARD, kept': { put: {}, storageClass: 'keep' },
};

const byS3 = ['one call', 'parts'] as const satisfies Way[];
const byStream = ['a short stream', 'a stream in parts'] as const satisfies Way[];
const waysAndModesOfS3 = byS3.flatMap((way) => MODES.map((mode) => [way, mode] as const));
const streams = byStream.flatMap((way) => CLIENT_SIDE_MODES.map((mode) => [way, mode] as const));
const waysAndModes: (readonly [Way, EncryptionMode])[] = [...waysAndModesOfS3, ...streams];

/** Drops, copies and reads; fails when the copy went another way. */
async function carried(key: string, way: Way, mode: EncryptionMode, property: Property, body = sample(WAYS[way])) {
  const { put, raw = {}, storageClass = 'STANDARD' } = property;
  const ref = await world.drop(key, body, put, raw);
  const stored = await world.copied(world.job(ref, mode, { storageClass }));
  expect(/-\d+$/.test(stored.etag)).toBe(way === 'parts' || way === 'a stream in parts');
  const [source, target] = [await world.read(SOURCE_BUCKET, key), await world.read(TARGET_BUCKET, key, mode)];
  expect(target.head).toMatchObject({ ETag: `"${stored.etag}"`, VersionId: stored.versionId });
  expect(target.bytes.equals(body)).toBe(true);
  return { source, target, stored };
}

describe.each(Object.entries(PROPERTIES))('%s', (name, property) => {
  test.each(waysAndModes)('arrives by %s under %s', async (way, mode) => {
    const { put, expected = {}, tags = [], storedClass } = property;
    const { source, target } = await carried(`${name}/${way}/${mode}`, way, mode, property);
    const { Tagging: _, StorageClass: __, ...headers } = put;
    expect(source.head).toMatchObject({ ...headers, ...expected });
    for (const member of HEADERS) expect(target.head[member], member).toEqual(source.head[member]);
    expect(target.head.StorageClass).toBe(storedClass);
    expect(target.tags).toHaveLength(tags.length);
    expect(target.tags).toEqual(expect.arrayContaining(tags));
  });
});

/** What is put, the checksum that the source then has, and the one that each way gives the target. */
const WHOLE = { type: 'FULL_OBJECT' };
const CHECKSUMS: [name: string, put: Partial<PutObjectCommandInput>, kept: StoredChecksum['algorithm']][] = [
  ['CRC64NVME', { ChecksumAlgorithm: 'CRC64NVME' }, 'CRC64NVME'],
  ['CRC32C', { ChecksumAlgorithm: 'CRC32C' }, 'CRC32C'],
  ['CRC32', { ChecksumAlgorithm: 'CRC32' }, 'CRC32'],
];

describe('the checksum', () => {
  test.each(CHECKSUMS.flatMap(([name, put, kept]) => waysAndModesOfS3.map(([way, mode]) => [name, way, mode, put, kept] as const)))(
    '%s is kept by %s under %s',
    async (name, way, mode, put, algorithm) => {
      const { source, target, stored } = await carried(`checksum/${name}/${way}/${mode}`, way, mode, { put });
      const value = source.head[`Checksum${algorithm}`];
      expect(value).toMatch(/^[\w+/]+=*$/);
      expect(target.head).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' });
      expect(stored.checksum).toEqual({ algorithm, value, ...WHOLE });
      expect(stored.proof).toBe(way === 'parts' ? 'checksum-compared' : 'source-pinned');
    },
  );

  test.each(CHECKSUMS.flatMap(([name, put, kept]) => streams.map(([way, mode]) => [name, way, mode, put, kept] as const)))(
    '%s of the plaintext is known after %s under %s, and what S3 holds has one of its own',
    async (name, way, mode, put, algorithm) => {
      const { source, stored } = await carried(`checksum/${name}/${way}/${mode}`, way, mode, { put });
      const value = source.head[`Checksum${algorithm}`];
      expect(value).toMatch(/^[\w+/]+=*$/);
      expect(stored.envelope?.plaintextChecksum).toEqual({ algorithm, value, ...WHOLE });
      expect(stored).toMatchObject({ proof: 'streamed', checksum: { algorithm: 'CRC32', ...WHOLE } });
      expect(stored.checksum?.value).not.toBe(value);
    },
  );

  test.each(['SHA256', 'SHA1'] as const)(
    '%s, which parts cannot have, is kept by one call, above the limit too',
    async (ChecksumAlgorithm) => {
      const key = `checksum/${ChecksumAlgorithm}`;
      const { source, target, stored } = await carried(key, 'one call', 'sse-kms', { put: { ChecksumAlgorithm } }, sample(WAYS.parts));
      const value = source.head[`Checksum${ChecksumAlgorithm}`];
      expect(target.head).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: value, ChecksumType: 'FULL_OBJECT' });
      expect(stored).toMatchObject({ checksum: { algorithm: ChecksumAlgorithm, value, ...WHOLE }, proof: 'source-pinned' });
    },
  );
});

test('tags that do not fit into the one request of an upload are kept by one call, above the limit too', async () => {
  const tags = Array.from({ length: 10 }, (_, index) => ({ Key: `${index}${'é'.repeat(100)}`, Value: 'ü'.repeat(200) }));
  const key = 'long tags';
  const ref = await world.drop(key, sample(WAYS.parts));
  await world.client.send(new PutObjectTaggingCommand({ Bucket: SOURCE_BUCKET, Key: key, Tagging: { TagSet: tags } }));
  expect(await world.copied(world.job(ref, 'sse-kms'))).toMatchObject({ proof: 'source-pinned' });
  expect((await world.read(TARGET_BUCKET, key)).tags).toEqual(expect.arrayContaining(tags));
});

/** Around every boundary of the ways; the last part is one byte, one less than a part, a whole one. */
const SIZES = [0, 1, ONE_CALL_BYTES - 1, ONE_CALL_BYTES, ONE_CALL_BYTES + 1, 4 * PART_BYTES - 1, 4 * PART_BYTES, 4 * PART_BYTES + 1];

describe.each(MODES)('under %s', (mode) => {
  test.each(SIZES)('%d bytes arrive as they were', async (size) => {
    const way = size > ONE_CALL_BYTES ? 'parts' : 'one call';
    const { target } = await carried(`bytes/${mode}/${size}`, way, mode, { put: {} }, sample(size, size));
    expect(target.head.ContentLength).toBe(size);
    expect(differences(world.encryptions[mode], target.head)).toEqual([]);
  });
});

describe.each(CLIENT_SIDE_MODES)('under %s', (mode) => {
  test.each([0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 10 * PART_BYTES])('%d bytes arrive as they were', async (size) => {
    const ref = await world.drop(`bytes/${mode}/${size}`, sample(size, size));
    await world.copied(world.job(ref, mode));
    const { bytes, head } = await world.read(TARGET_BUCKET, ref.key, mode);
    expect(bytes.equals(sample(size, size))).toBe(true);
    expect(differences(world.encryptions[mode], head)).toEqual([]);
  });
});

/** Decided: docs/decisions/faithful-copies.md */
test.each([...byS3.map((way) => [way, 'sse-kms'] as const), ...streams])(
  'a website redirect is not carried by %s under %s',
  async (way, mode) => {
    const put = { WebsiteRedirectLocation: '/elsewhere', Metadata: { owner: 'pat' } };
    const { source, target } = await carried(`redirect/${way}/${mode}`, way, mode, { put });
    expect(source.head.WebsiteRedirectLocation).toBe('/elsewhere');
    expect(target.head.WebsiteRedirectLocation).toBeUndefined();
    expect(target.head.Metadata).toEqual({ owner: 'pat' });
  },
);

test('annotations are not asked for in one call, and parts have no way to', async () => {
  const asked: unknown[] = [];
  const s3 = world.sandbox.connect();
  s3.middlewareStack.add(
    (next) => (args) => {
      asked.push((args.request as { headers: Record<string, string> }).headers['x-amz-object-annotation-directive']);
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  const ref = await world.drop('annotations', 'small');
  await world.copied(world.job(ref, 'sse-s3'), { ...world.deps, s3 });
  expect(asked).toEqual(['EXCLUDE']);
});
