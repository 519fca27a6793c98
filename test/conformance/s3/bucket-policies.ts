/** Bucket policies, as far as an administrator of the account meets them: what they deny. */
import { GetObjectTaggingCommand, PutBucketEncryptionCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { SSE_C_ALLOWED, type Stage } from '../stage.ts';
import { copy, customerKey, get, put, text } from './objects.ts';

const KEYS = ['s3-guide', 'amazon-s3-policy-keys'] as const;
const KMS = ['s3-guide', 'UsingKMSEncryption'] as const;
const EXAMPLES = ['s3-guide', 'example-bucket-policies'] as const;

export const BUCKET_POLICIES: Expectation[] = [
  expectation(
    's3.policy.denies-other-encryption',
    'a policy that wants aws:kms in the header denies a put without it',
    KMS,
    async (stage) => {
      const Bucket = await denying(stage, 's3:PutObject', { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } });
      await refused(put(stage, { Bucket }), '403 AccessDenied');
      await refused(put(stage, { Bucket, ServerSideEncryption: 'AES256' }), '403 AccessDenied');
      await put(stage, { Bucket, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn() });
    },
  ),
  expectation('s3.policy.denies-other-key', 'a policy that wants one key denies a put under another', KMS, async (stage) => {
    const SSEKMSKeyId = await stage.keyArn();
    const ServerSideEncryption = 'aws:kms' as const;
    const condition = { StringNotEquals: { 's3:x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId } };
    const Bucket = await denying(stage, 's3:PutObject', condition);
    await refused(put(stage, { Bucket, ServerSideEncryption, SSEKMSKeyId: await stage.newKey() }), '403 AccessDenied');
    await refused(put(stage, { Bucket, ServerSideEncryption }), '403 AccessDenied');
    await put(stage, { Bucket, ServerSideEncryption, SSEKMSKeyId });
  }),
  expectation(
    's3.policy.sees-headers-not-defaults',
    'the bucket’s default does not satisfy a policy that wants a header',
    KMS,
    async (stage) => {
      const Bucket = await denying(stage, 's3:PutObject', { Null: { 's3:x-amz-server-side-encryption': 'true' } });
      await refused(put(stage, { Bucket }), '403 AccessDenied');
      await put(stage, { Bucket, ServerSideEncryption: 'AES256' });
    },
  ),
  expectation('s3.policy.wants-sse-c', 'a policy can want a customer key', KEYS, async (stage) => {
    const condition = { Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'true' } };
    const Bucket = await denying(stage, 's3:PutObject', condition);
    await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: SSE_C_ALLOWED }));
    await refused(put(stage, { Bucket }), '403 AccessDenied');
    await put(stage, { Bucket, ...customerKey() });
  }),
  expectation('s3.policy.judges-copies', 'a copy is judged as the write that it is', ['s3-api', 'API_CopyObject'], async (stage) => {
    const Bucket = await denying(stage, 's3:PutObject', { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } });
    const { at } = await put(stage);
    await refused(copy(stage, at, { Bucket }), '403 AccessDenied');
    await copy(stage, at, { Bucket, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: await stage.keyArn() });
  }),
  expectation('s3.policy.denies-reads', 'a denied GetObject leaves the other rights', EXAMPLES, async (stage) => {
    const Bucket = await denying(stage, 's3:GetObject', {});
    const { at } = await put(stage, { Bucket, Tagging: 'a=b' });
    await refused(get(stage, at), '403 AccessDenied');
    same('the tags', (await stage.s3.send(new GetObjectTaggingCommand(at))).TagSet, [{ Key: 'a', Value: 'b' }]);
  }),
  expectation('s3.policy.prefix', 'a denial of a prefix leaves the other keys', EXAMPLES, async (stage) => {
    const Bucket = await denying(stage, 's3:PutObject', {}, 'denied/*');
    await refused(put(stage, { Bucket, Key: 'denied/a' }), '403 AccessDenied');
    const { at } = await put(stage, { Bucket, Key: 'allowed/a' });
    same('what is read', await text(stage, at), 'content');
  }),
  expectation(
    's3.policy.explicit-deny-message',
    'the refusal says that it was an explicit deny in a resource-based policy',
    ['s3-guide', 'troubleshoot-403-errors'],
    async (stage) => {
      const Bucket = await denying(stage, 's3:PutObject', {});
      const error = await refused(put(stage, { Bucket }), '403 AccessDenied');
      matches(
        'the message',
        error.message,
        /is not authorized to perform: s3:PutObject on resource: .* with an explicit deny in a resource-based policy/,
      );
    },
  ),
  expectation(
    's3.policy.public-is-blocked',
    'a public policy is refused where public policies are blocked',
    ['s3-guide', 'access-control-block-public-access'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await refused(stage.s3.send(new PutBucketPolicyCommand({ Bucket, Policy })), '403 AccessDenied');
    },
  ),
];

/** A new bucket that denies everybody this action under this condition. */
async function denying(stage: Stage, Action: string, Condition: object, keys = '*'): Promise<string> {
  const Bucket = await stage.newBucket();
  const statement = { Effect: 'Deny', Principal: '*', Action, Resource: `arn:aws:s3:::${Bucket}/${keys}`, Condition };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await stage.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  return Bucket;
}
