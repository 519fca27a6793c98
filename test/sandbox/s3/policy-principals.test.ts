/** Whom a bucket policy binds, and how it and the policies of roles go together. */
import {
  CopyObjectCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, VERSIONED } from './sandbox.ts';

let sandbox: Sandbox;
const ARN = `arn:aws:s3:::${Bucket}`;
const EVERYTHING = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
beforeAll(async () => {
  sandbox = await openSandbox();
  for (const Key of ['source', 'open/a']) await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
});
afterEach(() => sandbox.client.send(new DeleteBucketPolicyCommand({ Bucket })));
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const enforce = (statement: object) => {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', ...statement } });
  return sandbox.client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
};
const denied = async (call: Promise<unknown>) => {
  const { answer, message } = await refusal(call);
  expect([answer, message]).toEqual(['403 AccessDenied', expect.stringContaining('with an explicit deny in a resource-based policy')]);
};
const read = (client: S3Client, Key = 'source') => client.send(new GetObjectCommand({ Bucket, Key }));

test('everybody but the roles that an exception names', async () => {
  const trusted = sandbox.asRole('trusted', EVERYTHING);
  const other = sandbox.asRole('other', EVERYTHING);
  const excepted = ['arn:aws:iam::000000000000:role/trusted'];
  await enforce({ Action: 's3:GetObject', Resource: `${ARN}/*`, Condition: { ArnNotEquals: { 'aws:PrincipalArn': excepted } } });
  await read(trusted);
  await denied(read(other));
  await denied(read(sandbox.client));
});

test('everything but what NotResource names', async () => {
  await enforce({ Action: 's3:GetObject', Resource: undefined, NotResource: `${ARN}/open/*` });
  await read(sandbox.client, 'open/a');
  await denied(read(sandbox.client, 'source'));
});

test('a role that it names needs no policy of its own', async () => {
  const named = sandbox.asRole('named');
  expect((await refusal(read(named))).message).toContain('because no identity-based policy allows the s3:GetObject action');
  await enforce({
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::000000000000:role/named' },
    Action: 's3:GetObject',
    Resource: `${ARN}/*`,
  });
  await read(named);
  expect((await refusal(named.send(new ListObjectsV2Command({ Bucket })))).answer).toBe('403 AccessDenied');
});

test('an identity policy denies in words of its own', async () => {
  const denying = sandbox.asRole('denying', EVERYTHING, { Effect: 'Deny', Action: 's3:GetObject', Resource: '*' });
  expect((await refusal(read(denying))).message).toBe(
    'User: arn:aws:sts::000000000000:assumed-role/denying/session is not authorized to perform: s3:GetObject ' +
      `on resource: "${ARN}/source" with an explicit deny in an identity-based policy`,
  );
});

test('what a copy says of its target does not speak of its source', async () => {
  const reading = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { Null: { 's3:x-amz-storage-class': 'true' } } };
  const copier = sandbox.asRole('copier', reading, { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' });
  const target = { Bucket, Key: 'copied', CopySource: `${Bucket}/source`, StorageClass: 'STANDARD_IA' as const };
  await copier.send(new CopyObjectCommand(target));
});

test('the version that a copy names is the version that it reads', async () => {
  const source = { Bucket: VERSIONED, Key: 'source' };
  const { VersionId: first = '' } = await sandbox.client.send(new PutObjectCommand({ ...source, Body: '1' }));
  const { VersionId: second = '' } = await sandbox.client.send(new PutObjectCommand({ ...source, Body: '2' }));
  const one = { Effect: 'Allow', Action: 's3:GetObjectVersion', Resource: '*', Condition: { StringEquals: { 's3:VersionId': first } } };
  const copier = sandbox.asRole('copier', one, { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' });
  const copy = (id: string) => new CopyObjectCommand({ Bucket, Key: 'copied', CopySource: `${VERSIONED}/source?versionId=${id}` });
  await copier.send(copy(first));
  expect((await refusal(copier.send(copy(second)))).answer).toBe('403 AccessDenied');
});

test('each bucket’s policy speaks for its own end of a copy', async () => {
  const target = { Bucket: VERSIONED, Key: 'copied', CopySource: `${Bucket}/source` };
  await enforce({ Action: 's3:PutObject', Resource: `${ARN}/*` });
  await sandbox.client.send(new CopyObjectCommand(target));
  await enforce({ Action: 's3:GetObject', Resource: `${ARN}/*` });
  await denied(sandbox.client.send(new CopyObjectCommand(target)));
});
