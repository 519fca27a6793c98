/** CopyObject: between all modes, and what it carries, pins and refuses. */
import { DeleteObjectCommand, GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { type CustomerKey, copy, customerKey, get, head, put, read, sourceKey, text } from './objects.ts';

const PAGE = ['s3-api', 'API_CopyObject'] as const;

interface Mode {
  name: string;
  /** What a write says. */
  write(stage: Stage, key: CustomerKey): Promise<object>;
  /** What the answer says. */
  answer(stage: Stage, key: CustomerKey): Promise<Record<string, unknown>>;
  customer: boolean;
}

const MODES: Mode[] = [
  {
    name: 'sse-s3',
    write: async () => ({ ServerSideEncryption: 'AES256' }),
    answer: async () => ({ ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined, SSECustomerKeyMD5: undefined }),
    customer: false,
  },
  ...(['sse-kms', 'dsse-kms'] as const).map((name): Mode => {
    const ServerSideEncryption = name === 'sse-kms' ? 'aws:kms' : 'aws:kms:dsse';
    const said = async (stage: Stage) => ({ ServerSideEncryption, SSEKMSKeyId: await stage.keyArn() });
    return { name, write: said, answer: said, customer: false };
  }),
  {
    name: 'sse-c',
    write: async (_, key) => key,
    answer: async (_, { SSECustomerKeyMD5 }) => ({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5, ServerSideEncryption: undefined }),
    customer: true,
  },
];

const BETWEEN = MODES.flatMap((source) =>
  MODES.map((target) =>
    expectation(
      `s3.copy.${source.name}-to-${target.name}`,
      `a copy from ${source.name} to ${target.name} is what was asked, says so, and is readable`,
      PAGE,
      async (stage) => {
        const [from, to] = [customerKey(), customerKey()];
        const { at } = await put(stage, { Body: 'between', ...(await source.write(stage, from)) });
        const more = { ...(source.customer && sourceKey(from)), ...(await target.write(stage, to)) };
        const copied = await copy(stage, at, more);
        const expected = await target.answer(stage, to);
        has('the answer', copied.answer, expected);
        has('HEAD', await head(stage, copied.at, target.customer ? to : {}), expected);
        same('the copy', await text(stage, copied.at, target.customer ? to : {}), 'between');
        if (target.customer) await refused(get(stage, copied.at), '400 InvalidRequest');
      },
    ),
  ),
);

const DESCRIBED = { ContentType: 'text/plain', CacheControl: 'max-age=60', ContentLanguage: 'de', Metadata: { owner: 'pat' } };

export const COPIES: Expectation[] = [
  ...BETWEEN,
  expectation('s3.copy.carries-metadata', 'a copy carries metadata and tags', PAGE, async (stage) => {
    const { at } = await put(stage, { ...DESCRIBED, Tagging: 'class=internal' });
    const copied = await copy(stage, at);
    has('the copy', await head(stage, copied.at), DESCRIBED);
    const { TagSet } = await stage.s3.send(new GetObjectTaggingCommand(copied.at));
    same('its tags', TagSet, [{ Key: 'class', Value: 'internal' }]);
  }),
  expectation(
    's3.copy.replaces-metadata',
    'with MetadataDirective REPLACE a copy has the request’s metadata alone',
    PAGE,
    async (stage) => {
      const { at } = await put(stage, DESCRIBED);
      const copied = await copy(stage, at, { MetadataDirective: 'REPLACE', Metadata: { team: 'a' }, ContentType: 'text/css' });
      has('the copy', await head(stage, copied.at), { ContentType: 'text/css', Metadata: { team: 'a' }, CacheControl: undefined });
    },
  ),
  expectation('s3.copy.replaces-tags', 'with TaggingDirective REPLACE a copy has the request’s tags alone', PAGE, async (stage) => {
    const { at } = await put(stage, { Tagging: 'class=internal' });
    const copied = await copy(stage, at, { TaggingDirective: 'REPLACE', Tagging: 'team=a' });
    const { TagSet } = await stage.s3.send(new GetObjectTaggingCommand(copied.at));
    same('its tags', TagSet, [{ Key: 'team', Value: 'a' }]);
  }),
  expectation(
    's3.copy.resets-encryption',
    'a copy that names no encryption takes the target bucket’s, not the source’s',
    PAGE,
    async (stage) => {
      const { at } = await put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn() });
      has('the answer', (await copy(stage, at)).answer, { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined });
    },
  ),
  expectation('s3.copy.resets-storage-class', 'a copy is STANDARD whatever the source was', PAGE, async (stage) => {
    const { at } = await put(stage, { StorageClass: 'STANDARD_IA' });
    same('the source', (await head(stage, at)).StorageClass, 'STANDARD_IA');
    same('the copy', (await head(stage, (await copy(stage, at)).at)).StorageClass, undefined);
  }),
  expectation('s3.copy.onto-itself', 'a copy onto itself that changes nothing is refused with InvalidRequest', PAGE, async (stage) => {
    const { at } = await put(stage);
    await refused(copy(stage, at, { Key: at.Key }), '400 InvalidRequest');
    await copy(stage, at, { Key: at.Key, MetadataDirective: 'REPLACE', Metadata: { team: 'a' } });
  }),
  expectation('s3.copy.source-if-match', 'CopySourceIfMatch lets only that source through', PAGE, async (stage) => {
    const { at, answer } = await put(stage);
    await copy(stage, at, { CopySourceIfMatch: answer.ETag });
    await refused(copy(stage, at, { CopySourceIfMatch: '"0123456789abcdef0123456789abcdef"' }), '412 PreconditionFailed');
  }),
  expectation('s3.copy.if-none-match', 'IfNoneMatch: * never replaces what is there', PAGE, async (stage) => {
    const { at } = await put(stage);
    const copied = await copy(stage, at, { IfNoneMatch: '*' });
    await refused(copy(stage, at, { Key: copied.at.Key, IfNoneMatch: '*' }), '412 PreconditionFailed');
  }),
  expectation('s3.copy.if-match', 'IfMatch replaces that target and no other', PAGE, async (stage) => {
    const [source, target] = [await put(stage, { Body: 'new' }), await put(stage, { Body: 'old' })];
    const { Key } = target.at;
    await refused(copy(stage, source.at, { Key, IfMatch: '"0123456789abcdef0123456789abcdef"' }), '412 PreconditionFailed');
    same('after the refusal', await text(stage, target.at), 'old');
    await copy(stage, source.at, { Key, IfMatch: target.answer.ETag });
    same('after the copy', await text(stage, target.at), 'new');
  }),
  expectation('s3.copy.if-match-missing', 'IfMatch where no target is, is NoSuchKey', PAGE, async (stage) => {
    const { at, answer } = await put(stage);
    await refused(copy(stage, at, { IfMatch: answer.ETag }), '404 NoSuchKey');
  }),
  expectation('s3.copy.missing-source', 'a copy of what is not there is refused with NoSuchKey', PAGE, async (stage) => {
    await refused(copy(stage, { Bucket: await stage.bucket(), Key: stage.unique() }), '404 NoSuchKey');
  }),
  expectation('s3.copy.version', 'a copy names a version, and the answer says which it was', PAGE, async (stage) => {
    const one = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'one' });
    await put(stage, { ...one.at, Body: 'two' });
    const CopySource = `${one.at.Bucket}/${one.at.Key}?versionId=${one.answer.VersionId}`;
    const copied = await copy(stage, one.at, { CopySource });
    same('CopySourceVersionId', copied.answer.CopySourceVersionId, one.answer.VersionId);
    matches('VersionId', copied.answer.VersionId, /^[^"\s]{1,1024}$/);
    same('the copy', await text(stage, copied.at), 'one');
  }),
  expectation(
    's3.copy.delete-marker',
    'a copy of a deleted object is refused with NoSuchKey, one of its marker with InvalidRequest',
    ['s3-api', 'API_UploadPartCopy'],
    async (stage) => {
      const { at } = await put(stage, { Bucket: await stage.versionedBucket() });
      const { VersionId } = await stage.s3.send(new DeleteObjectCommand(at));
      await refused(copy(stage, at), '404 NoSuchKey');
      await refused(copy(stage, at, { CopySource: `${at.Bucket}/${at.Key}?versionId=${VersionId}` }), '400 InvalidRequest');
    },
  ),
  expectation('s3.copy.encoded-source', 'CopySource is percent-decoded', PAGE, async (stage) => {
    const { at } = await put(stage, { Key: `${stage.unique()}/a b+c é%.txt`, Body: 'odd' });
    const copied = await copy(stage, at, { CopySource: `${at.Bucket}/${encodeURIComponent(at.Key)}` });
    same('the copy', (await read(stage, copied.at)).toString(), 'odd');
  }),
  expectation('s3.copy.checksum', 'a copy keeps the checksum of its source', PAGE, async (stage) => {
    const { at, answer } = await put(stage, { ChecksumAlgorithm: 'SHA256' });
    const copied = await copy(stage, at, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn() });
    same('in the answer', copied.answer.CopyObjectResult?.ChecksumSHA256, answer.ChecksumSHA256);
    same('by HEAD', (await head(stage, copied.at, { ChecksumMode: 'ENABLED' })).ChecksumSHA256, answer.ChecksumSHA256);
  }),
];
