/** SSE-S3, SSE-KMS and DSSE-KMS: what is asked, what is answered, and keys that do not serve. */
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { PutBucketEncryptionCommand } from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { copy, get, head, md5Hex, put, text } from './objects.ts';

const PUT = ['s3-api', 'API_PutObject'] as const;
const SSE_KMS = ['s3-guide', 'UsingKMSEncryption'] as const;
const BUCKET_KEY = ['s3-guide', 'bucket-key'] as const;
const DSSE = ['s3-guide', 'UsingDSSEncryption'] as const;
const STATES = ['kms-guide', 'key-state'] as const;
const DEFAULT = ['s3-guide', 'default-encryption-faq'] as const;

export const KMS_MODES: Expectation[] = [
  expectation('s3.sse-s3.by-default', 'an object that names no encryption gets SSE-S3, and the answer says so', DEFAULT, async (stage) => {
    const { at, answer } = await put(stage);
    has('the answer', answer, { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined, BucketKeyEnabled: undefined });
    has('HEAD', await head(stage, at), { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined });
  }),
  expectation('s3.sse-s3.etag', 'the ETag of a single SSE-S3 object is the MD5 of its bytes', ['s3-api', 'API_Object'], async (stage) => {
    const { answer } = await put(stage, { Body: 'content', ServerSideEncryption: 'AES256' });
    same('the ETag', answer.ETag, `"${md5Hex('content')}"`);
  }),
  expectation('s3.sse-s3.no-key', 'AES256 beside a KMS key is refused with InvalidArgument', PUT, async (stage) => {
    await refused(put(stage, { ServerSideEncryption: 'AES256', SSEKMSKeyId: await stage.keyArn() }), '400 InvalidArgument');
  }),
  expectation('s3.sse-kms.answer', 'SSE-KMS answers with the key’s ARN, also when it is named by id', PUT, async (stage) => {
    const SSEKMSKeyId = await stage.keyArn();
    const byId = await put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: SSEKMSKeyId.split('/')[1] });
    has('the answer', byId.answer, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId, BucketKeyEnabled: undefined });
    has('HEAD', await head(stage, byId.at), { ServerSideEncryption: 'aws:kms', SSEKMSKeyId, BucketKeyEnabled: undefined });
    same('what is read', await text(stage, byId.at), 'content');
  }),
  expectation('s3.sse-kms.managed-key', 'SSE-KMS without a key is under aws/s3, and the answer names it', SSE_KMS, async (stage) => {
    const { answer } = await put(stage, { ServerSideEncryption: 'aws:kms' });
    matches('the key', answer.SSEKMSKeyId, /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/);
    const { KeyMetadata } = await stage.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
    same('what alias/aws/s3 is', KeyMetadata?.Arn, answer.SSEKMSKeyId);
    same('its manager', KeyMetadata?.KeyManager, 'AWS');
  }),
  expectation('s3.sse-kms.bucket-key', 'BucketKeyEnabled is answered when on and absent when off', BUCKET_KEY, async (stage) => {
    const key = { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: await stage.keyArn() };
    const [on, off] = [await put(stage, { ...key, BucketKeyEnabled: true }), await put(stage, { ...key, BucketKeyEnabled: false })];
    same('on', on.answer.BucketKeyEnabled, true);
    same('off', off.answer.BucketKeyEnabled, undefined);
    same('on, by HEAD', (await head(stage, on.at)).BucketKeyEnabled, true);
    same('off, by HEAD', (await head(stage, off.at)).BucketKeyEnabled, undefined);
    same('what is read', await text(stage, on.at), 'content');
  }),
  expectation('s3.sse-kms.etag', 'the ETag of an SSE-KMS object is no MD5 of its bytes', ['s3-api', 'API_Object'], async (stage) => {
    const { answer } = await put(stage, { Body: 'content', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn() });
    matches('the ETag', answer.ETag, new RegExp(`^"(?!${md5Hex('content')})[0-9a-f]{32}"$`));
  }),
  expectation('s3.sse-kms.unknown-key', 'a key that does not exist is refused with KMS.NotFoundException', SSE_KMS, async (stage) => {
    const SSEKMSKeyId = (await stage.keyArn()).replace(/[0-9a-f-]{36}$/, '00000000-0000-4000-8000-000000000000');
    await refused(put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId }), '400 KMS.NotFoundException');
  }),
  expectation('s3.sse-kms.context-malformed', 'an encryption context that is not base64 of JSON is refused', PUT, async (stage) => {
    const input = { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: await stage.keyArn(), SSEKMSEncryptionContext: 'no json' };
    await refused(put(stage, input), '400 InvalidArgument');
  }),
  expectation('s3.sse-kms.context', 'an encryption context of the caller is taken, and used when reading', PUT, async (stage) => {
    const SSEKMSEncryptionContext = Buffer.from(JSON.stringify({ case: '42' })).toString('base64');
    const { at } = await put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn(), SSEKMSEncryptionContext });
    same('what is read', await text(stage, at), 'content');
  }),
  expectation('s3.sse-kms.disabled.write', 'a write under a disabled key is refused with KMS.DisabledException', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }), '400 KMS.DisabledException');
  }),
  expectation('s3.sse-kms.disabled.copy', 'a copy to a disabled key is refused with KMS.DisabledException', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    const { at } = await put(stage);
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(copy(stage, at, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }), '400 KMS.DisabledException');
  }),
  expectation('s3.sse-kms.disabled.read', 'a disabled key opens nothing; enabled again it does', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    const { at } = await put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId });
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(get(stage, at), '400 KMS.DisabledException');
    await stage.kms.send(new EnableKeyCommand({ KeyId }));
    same('what is read', await text(stage, at), 'content');
  }),
  expectation(
    's3.sse-kms.pending-deletion',
    'a key that awaits deletion is refused with KMS.KMSInvalidStateException',
    STATES,
    async (stage) => {
      const KeyId = await stage.newKey();
      const { at } = await put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId });
      await stage.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      await refused(put(stage, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }), '400 KMS.KMSInvalidStateException');
      await refused(get(stage, at), '400 KMS.KMSInvalidStateException');
      await stage.kms.send(new CancelKeyDeletionCommand({ KeyId }));
      await stage.kms.send(new EnableKeyCommand({ KeyId }));
      same('what is read', await text(stage, at), 'content');
    },
  ),
  expectation('s3.dsse-kms.answer', 'DSSE-KMS answers aws:kms:dsse with the key’s ARN', DSSE, async (stage) => {
    const SSEKMSKeyId = await stage.keyArn();
    const { at, answer } = await put(stage, { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId });
    has('the answer', answer, { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId, BucketKeyEnabled: undefined });
    has('HEAD', await head(stage, at), { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId });
    same('what is read', await text(stage, at), 'content');
  }),
  expectation('s3.dsse-kms.disabled', 'a disabled key opens no DSSE-KMS object', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    const { at } = await put(stage, { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: KeyId });
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(get(stage, at), '400 KMS.DisabledException');
  }),
  expectation(
    's3.default.sse-kms',
    'a bucket’s default key and bucket key apply to what names no encryption',
    BUCKET_KEY,
    async (stage) => {
      const Bucket = await stage.newBucket();
      const KMSMasterKeyID = await stage.keyArn();
      const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID }, BucketKeyEnabled: true }];
      await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
      const expected = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMSMasterKeyID, BucketKeyEnabled: true };
      has('the answer to a put', (await put(stage, { Bucket })).answer, expected);
      const { at } = await put(stage);
      has('the answer to a copy', (await copy(stage, at, { Bucket })).answer, expected);
      const explicit = await put(stage, { Bucket, ServerSideEncryption: 'AES256' });
      has('what names SSE-S3', explicit.answer, { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined });
    },
  ),
  expectation('s3.default.dsse-kms', 'a bucket’s default of DSSE-KMS applies to what names no encryption', DSSE, async (stage) => {
    const Bucket = await stage.newBucket();
    const KMSMasterKeyID = await stage.keyArn();
    const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms:dsse' as const, KMSMasterKeyID } }];
    await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    has('the answer', (await put(stage, { Bucket })).answer, { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: KMSMasterKeyID });
  }),
];
