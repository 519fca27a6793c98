/** Listings. */
import { ListObjectsCommand, ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { put } from './objects.ts';

const PAGE = ['s3-api', 'API_ListObjectsV2'] as const;

export const LISTING: Expectation[] = [
  expectation('s3.list.delimiter', 'a delimiter rolls keys up into common prefixes', PAGE, async (stage) => {
    const { Prefix, list } = await folder(stage, ['a', 'b/1', 'b/2', 'c/d/1']);
    const { Contents, CommonPrefixes, KeyCount } = await list({ Delimiter: '/' });
    same(
      'the keys',
      Contents?.map(({ Key }) => Key),
      [`${Prefix}a`],
    );
    same(
      'the prefixes',
      CommonPrefixes?.map((common) => common.Prefix),
      [`${Prefix}b/`, `${Prefix}c/`],
    );
    same('their count', KeyCount, 3);
  }),
  expectation('s3.list.pages', 'pages tile the keys', PAGE, async (stage) => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { Prefix, list } = await folder(stage, names);
    const found: (string | undefined)[] = [];
    let token: string | undefined;
    for (let page = 0; page < names.length; page += 1) {
      const answer = await list({ MaxKeys: 2, ...(token !== undefined && { ContinuationToken: token }) });
      found.push(...(answer.Contents ?? []).map(({ Key }) => Key));
      token = answer.NextContinuationToken;
      same('whether more follows', answer.IsTruncated, token !== undefined);
      if (token === undefined) break;
    }
    same(
      'all keys',
      found,
      names.map((name) => `${Prefix}${name}`),
    );
  }),
  expectation('s3.list.prefix-pages', 'common prefixes count as keys of a page', PAGE, async (stage) => {
    const { Prefix, list } = await folder(stage, ['a/1', 'a/2', 'b/1', 'c']);
    const first = await list({ Delimiter: '/', MaxKeys: 1 });
    same(
      'the first page',
      first.CommonPrefixes?.map((common) => common.Prefix),
      [`${Prefix}a/`],
    );
    const rest = await list({ Delimiter: '/', ContinuationToken: first.NextContinuationToken });
    same(
      'then',
      rest.CommonPrefixes?.map((common) => common.Prefix),
      [`${Prefix}b/`],
    );
    same(
      'and',
      rest.Contents?.map(({ Key }) => Key),
      [`${Prefix}c`],
    );
  }),
  expectation('s3.list.order', 'keys are in order of their UTF-8 bytes', PAGE, async (stage) => {
    const names = ['a', 'B', 'é', '\u{ff5e}', '\u{1f510}', '-'];
    const { Prefix, list } = await folder(stage, names);
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    same(
      'the keys',
      (await list({})).Contents?.map(({ Key }) => Key),
      sorted.map((name) => `${Prefix}${name}`),
    );
  }),
  expectation('s3.list.start-after', 'StartAfter skips up to and with that key', PAGE, async (stage) => {
    const { Prefix, list } = await folder(stage, ['a', 'b', 'c']);
    same(
      'the keys',
      (await list({ StartAfter: `${Prefix}a` })).Contents?.map(({ Key }) => Key),
      [`${Prefix}b`, `${Prefix}c`],
    );
  }),
  expectation('s3.list.described', 'a listed object has size, ETag and time', PAGE, async (stage) => {
    const { list } = await folder(stage, ['a']);
    const [object] = (await list({})).Contents ?? [];
    has('the object', object ?? {}, { Size: 7, StorageClass: 'STANDARD' });
    matches('its ETag', object?.ETag, /^"[0-9a-f]{32}"$/);
    same('its time is one', object?.LastModified instanceof Date, true);
  }),
  expectation('s3.list.encoding', 'with EncodingType url keys are percent-encoded', PAGE, async (stage) => {
    const { list } = await folder(stage, ['a b+c']);
    const answer = await list({ EncodingType: 'url' });
    same('EncodingType', answer.EncodingType, 'url');
    matches('the key', answer.Contents?.[0]?.Key, /\/a(\+|%20)b%2Bc$/);
  }),
  expectation('s3.list.empty', 'nothing found is no error', PAGE, async (stage) => {
    const { list } = await folder(stage, []);
    has('the answer', await list({}), { Contents: undefined, KeyCount: 0, IsTruncated: false });
  }),
  expectation('s3.list.wrong-token', 'a continuation token that S3 never gave is refused with InvalidArgument', PAGE, async (stage) => {
    const { list } = await folder(stage, ['a']);
    await refused(list({ ContinuationToken: 'surprise' }), '400 InvalidArgument');
  }),
  expectation('s3.list.v1', 'the first version lists with a marker', ['s3-api', 'API_ListObjects'], async (stage) => {
    const { Bucket, Prefix } = await folder(stage, ['a', 'b', 'c']);
    const answer = await stage.s3.send(new ListObjectsCommand({ Bucket, Prefix, Marker: `${Prefix}a`, MaxKeys: 1 }));
    same(
      'the keys',
      answer.Contents?.map(({ Key }) => Key),
      [`${Prefix}b`],
    );
    same('whether more follows', answer.IsTruncated, true);
  }),
];

async function folder(stage: Stage, names: string[]) {
  const Bucket = await stage.bucket();
  const Prefix = `${stage.unique('folder')}/`;
  for (const name of names) await put(stage, { Key: `${Prefix}${name}` });
  const list = (more: Partial<ListObjectsV2CommandInput>) => stage.s3.send(new ListObjectsV2Command({ Bucket, Prefix, ...more }));
  return { Bucket, Prefix, list };
}
