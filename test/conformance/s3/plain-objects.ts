/** Objects: bytes, names, descriptions, ranges, tags, deletion. */
import { randomBytes } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { get, head, md5Base64, put, read, text } from './objects.ts';

const GET = ['s3-api', 'API_GetObject'] as const;
const PUT = ['s3-api', 'API_PutObject'] as const;
const KEYS = ['s3-guide', 'object-keys'] as const;
const TAGS = ['s3-guide', 'object-tagging'] as const;

export const PLAIN_OBJECTS: Expectation[] = [
  ...[0, 1, 65_537, 6 * 1024 * 1024 + 1].map((size) =>
    expectation(`s3.object.bytes-${size}`, `${size} bytes come back as they were put`, GET, async (stage) => {
      const body = randomBytes(size);
      const { at } = await put(stage, { Body: body });
      same('they are equal', (await read(stage, at)).equals(body), true);
      same('the length', (await head(stage, at)).ContentLength, size);
    }),
  ),
  ...[
    ['spaces', 'a b  c'],
    ['unicode', 'Übersicht 日本 🔐.txt'],
    ['reserved', "a+b&c=d?e#f%g'h(i)*!"],
    ['slashes', 'a//b/'],
    ['dots', 'a/./b/../c'],
  ].map(([name = '', Key = '']) =>
    expectation(`s3.object.key-${name}`, `the key "${Key}" is taken as it is`, KEYS, async (stage) => {
      const { at } = await put(stage, { Key: `${stage.unique()}/${Key}`, Body: name });
      same('what is read', await text(stage, at), name);
    }),
  ),
  expectation('s3.object.key-too-long', 'a key of 1,024 bytes is taken, one of 1,025 refused with KeyTooLongError', KEYS, async (stage) => {
    const start = stage.unique();
    const { at } = await put(stage, { Key: start.padEnd(1024, 'x') });
    await refused(put(stage, { Key: `${at.Key}x` }), '400 KeyTooLongError');
  }),
  expectation('s3.object.missing', 'what is not there is NoSuchKey, by HEAD a 404', GET, async (stage) => {
    const at = { Bucket: await stage.bucket(), Key: stage.unique() };
    await refused(get(stage, at), '404 NoSuchKey');
    await refused(head(stage, at), '404');
  }),
  expectation('s3.object.described', 'content headers and user metadata come back', PUT, async (stage) => {
    const described = {
      ContentType: 'text/plain; charset=utf-8',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentDisposition: 'attachment; filename="a.txt"',
      CacheControl: 'max-age=60',
      Metadata: { owner: 'pat', 'case-number': '42' },
    };
    const { at } = await put(stage, described);
    has('HEAD', await head(stage, at), described);
    has('GET', await get(stage, at), described);
  }),
  expectation(
    's3.object.default-type',
    'without a content type it is application/octet-stream or binary/octet-stream',
    PUT,
    async (stage) => {
      const { at } = await put(stage);
      const { ContentType } = await head(stage, at);
      same('it is one of both', ContentType === 'application/octet-stream' || ContentType === 'binary/octet-stream', true);
    },
  ),
  expectation(
    's3.object.metadata-encoded',
    'user metadata beyond ASCII goes and comes encoded as RFC 2047 has it',
    ['s3-guide', 'UsingMetadata'],
    async (stage) => {
      const owner = `=?UTF-8?B?${Buffer.from('Pät €').toString('base64')}?=`;
      const { at } = await put(stage, { Metadata: { owner } });
      same('the metadata', (await head(stage, at)).Metadata, { owner });
    },
  ),
  expectation(
    's3.object.metadata-too-large',
    'user metadata above 2 KB is refused with MetadataTooLarge',
    ['s3-guide', 'UsingMetadata'],
    async (stage) => {
      await put(stage, { Metadata: { a: 'x'.repeat(2047) } });
      await refused(put(stage, { Metadata: { a: 'x'.repeat(2048) } }), '400 MetadataTooLarge');
    },
  ),
  expectation('s3.object.response-overrides', 'a GET may ask for other response headers', GET, async (stage) => {
    const { at } = await put(stage, { ContentType: 'text/plain' });
    has('GET', await get(stage, at, { ResponseContentType: 'text/css', ResponseCacheControl: 'no-store' }), {
      ContentType: 'text/css',
      CacheControl: 'no-store',
    });
  }),
  expectation('s3.object.range', 'a range is a 206 with its place', GET, async (stage) => {
    const { at } = await put(stage, { Body: '0123456789' });
    const answer = await stage.s3.send(new GetObjectCommand({ ...at, Range: 'bytes=2-4' }));
    same('the bytes', await answer.Body?.transformToString(), '234');
    has('the answer', answer, { ContentRange: 'bytes 2-4/10', ContentLength: 3 });
    same('the status', answer.$metadata.httpStatusCode, 206);
    same('the last three', await text(stage, at, { Range: 'bytes=-3' }), '789');
    same('from the eighth', await text(stage, at, { Range: 'bytes=8-' }), '89');
  }),
  expectation('s3.object.range-outside', 'a range that begins after the end is refused with InvalidRange', GET, async (stage) => {
    const { at } = await put(stage, { Body: '0123456789' });
    await refused(get(stage, at, { Range: 'bytes=10-' }), '416 InvalidRange');
  }),
  expectation('s3.object.content-md5', 'a body that is not what Content-MD5 says is refused with BadDigest', PUT, async (stage) => {
    await put(stage, { Body: 'content', ContentMD5: md5Base64('content') });
    await refused(put(stage, { Body: 'content', ContentMD5: md5Base64('other') }), '400 BadDigest');
  }),
  expectation('s3.object.delete', 'deleting is done even when nothing is there', ['s3-api', 'API_DeleteObject'], async (stage) => {
    const { at } = await put(stage);
    for (let turn = 0; turn < 2; turn += 1) {
      same('the status', (await stage.s3.send(new DeleteObjectCommand(at))).$metadata.httpStatusCode, 204);
    }
    await refused(get(stage, at), '404 NoSuchKey');
  }),
  expectation(
    's3.object.delete-many',
    'DeleteObjects deletes what is there and what is not',
    ['s3-api', 'API_DeleteObjects'],
    async (stage) => {
      const { at } = await put(stage);
      const Objects = [{ Key: at.Key }, { Key: stage.unique() }];
      const { Deleted = [], Errors } = await stage.s3.send(new DeleteObjectsCommand({ Bucket: at.Bucket, Delete: { Objects } }));
      same('the deleted keys', Deleted.map(({ Key }) => Key).sort(), Objects.map(({ Key }) => Key).sort());
      same('the errors', Errors, undefined);
      await refused(get(stage, at), '404 NoSuchKey');
    },
  ),
  expectation('s3.object.storage-class', 'an unknown storage class is refused with InvalidStorageClass', PUT, async (stage) => {
    const StorageClass = JSON.parse('"COLD"') as 'GLACIER';
    await refused(put(stage, { StorageClass }), '400 InvalidStorageClass');
  }),
  expectation('s3.tags.of-put', 'the tags of a PutObject are decoded and counted', TAGS, async (stage) => {
    const { at } = await put(stage, { Tagging: 'class=internal&team=a%20b%2Bc' });
    const { TagSet = [] } = await stage.s3.send(new GetObjectTaggingCommand(at));
    same('the tags', Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])), { class: 'internal', team: 'a b+c' });
    same('their count', (await get(stage, at)).TagCount, 2);
  }),
  expectation('s3.tags.replaced', 'PutObjectTagging replaces all, DeleteObjectTagging removes all', TAGS, async (stage) => {
    const { at } = await put(stage, { Tagging: 'class=internal' });
    const tags = async () => (await stage.s3.send(new GetObjectTaggingCommand(at))).TagSet;
    await stage.s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: 'team', Value: 'a' }] } }));
    same('after the put', await tags(), [{ Key: 'team', Value: 'a' }]);
    await stage.s3.send(new DeleteObjectTaggingCommand(at));
    same('after the deletion', await tags(), []);
  }),
  expectation('s3.tags.too-many', 'eleven tags are refused', TAGS, async (stage) => {
    const TagSet = Array.from({ length: 11 }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    const { at } = await put(stage);
    await refused(stage.s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet } })), '400 BadRequest', '400 InvalidTag');
  }),
  expectation('s3.tags.twice', 'a key twice is refused with InvalidTag', TAGS, async (stage) => {
    const TagSet = [
      { Key: 'k', Value: 'a' },
      { Key: 'k', Value: 'b' },
    ];
    const { at } = await put(stage);
    await refused(stage.s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet } })), '400 InvalidTag');
  }),
];
