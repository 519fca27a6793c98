/** Conditional reads, writes and deletes. */
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { get, head, put, text } from './objects.ts';

const READS = ['s3-guide', 'conditional-reads'] as const;
const WRITES = ['s3-guide', 'conditional-writes'] as const;
const DELETES = ['s3-guide', 'conditional-deletes'] as const;
const OTHER = '"0123456789abcdef0123456789abcdef"';

export const CONDITIONS: Expectation[] = [
  expectation('s3.condition.get-if-match', 'GET with another ETag in IfMatch is a 412', READS, async (stage) => {
    const { at, answer } = await put(stage);
    same('with its own', await text(stage, at, { IfMatch: answer.ETag }), 'content');
    await refused(get(stage, at, { IfMatch: OTHER }), '412 PreconditionFailed');
  }),
  expectation('s3.condition.get-if-none-match', 'GET with its own ETag in IfNoneMatch is a 304', READS, async (stage) => {
    const { at, answer } = await put(stage);
    same('with another', await text(stage, at, { IfNoneMatch: OTHER }), 'content');
    await refused(get(stage, at, { IfNoneMatch: answer.ETag }), '304');
    await refused(head(stage, at, { IfNoneMatch: answer.ETag }), '304');
  }),
  expectation('s3.condition.get-if-modified-since', 'GET of what did not change since is a 304', READS, async (stage) => {
    const { at } = await put(stage);
    const { LastModified } = await head(stage, at);
    await refused(get(stage, at, { IfModifiedSince: LastModified }), '304');
  }),
  expectation('s3.condition.get-if-unmodified-since', 'GET of what changed since is a 412', READS, async (stage) => {
    const { at } = await put(stage);
    await refused(get(stage, at, { IfUnmodifiedSince: new Date('2020-01-01T00:00:00Z') }), '412 PreconditionFailed');
  }),
  expectation(
    's3.condition.put-if-none-match',
    'PutObject with IfNoneMatch: * writes what is not there, and only that',
    WRITES,
    async (stage) => {
      const { at } = await put(stage, { Body: 'first', IfNoneMatch: '*' });
      await refused(put(stage, { ...at, Body: 'second', IfNoneMatch: '*' }), '412 PreconditionFailed');
      same('what stays', await text(stage, at), 'first');
    },
  ),
  expectation('s3.condition.put-race', 'of many that write with IfNoneMatch: * at once, one wins', WRITES, async (stage) => {
    const Key = stage.unique('race');
    const calls = Array.from({ length: 8 }, () => put(stage, { Key, IfNoneMatch: '*' }));
    const won = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled');
    same('the winners', won.length, 1);
  }),
  expectation('s3.condition.put-if-match', 'PutObject with IfMatch replaces that object, and only that', WRITES, async (stage) => {
    const { at, answer } = await put(stage, { Body: 'first' });
    await refused(put(stage, { ...at, Body: 'lost', IfMatch: OTHER }), '412 PreconditionFailed');
    await put(stage, { ...at, Body: 'second', IfMatch: answer.ETag });
    same('what stands', await text(stage, at), 'second');
  }),
  expectation('s3.condition.put-if-match-missing', 'PutObject with IfMatch where nothing is, is NoSuchKey', WRITES, async (stage) => {
    await refused(put(stage, { IfMatch: OTHER }), '404 NoSuchKey');
  }),
  expectation('s3.condition.put-over-marker', 'a delete marker counts as nothing for IfNoneMatch: *', WRITES, async (stage) => {
    const { at } = await put(stage, { Bucket: await stage.versionedBucket() });
    await stage.s3.send(new DeleteObjectCommand(at));
    await put(stage, { ...at, Body: 'again', IfNoneMatch: '*' });
    same('what stands', await text(stage, at), 'again');
  }),
  expectation('s3.condition.delete-if-match', 'DeleteObject with another ETag in IfMatch is a 412', DELETES, async (stage) => {
    const { at, answer } = await put(stage);
    await refused(stage.s3.send(new DeleteObjectCommand({ ...at, IfMatch: OTHER })), '412 PreconditionFailed');
    same('what stays', await text(stage, at), 'content');
    await stage.s3.send(new DeleteObjectCommand({ ...at, IfMatch: answer.ETag }));
    await refused(get(stage, at), '404 NoSuchKey');
  }),
];
