/** Bucket policies as they are put: what S3 takes, and what it refuses by name. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
const ARN = `arn:aws:s3:::${Bucket}`;
beforeAll(async () => {
  sandbox = await openSandbox();
  sandbox.asRole('reader');
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const put = (Policy: string | object) =>
  sandbox.client.send(new PutBucketPolicyCommand({ Bucket, Policy: typeof Policy === 'string' ? Policy : JSON.stringify(Policy) }));
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const deny = (statement: object) => policy({ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `${ARN}/*`, ...statement });

test.each<[string, string | object, RegExp]>([
  ['no JSON', '{', /JSON/],
  ['an array', '[]', /first byte/],
  ['no statement', '{"Version":"2012-10-17"}', /Statement/],
  ['too much', JSON.stringify(deny({ Sid: 'x'.repeat(20 * 1024) })), /exceeds the maximum allowed size of 20480 bytes/],
  ['an unknown element', deny({ Surprise: 1 }), /Surprise/],
  ['an unknown operator', deny({ Condition: { StringIs: { 's3:x-amz-acl': 'x' } } }), /StringIs/],
  ['an unknown condition key', deny({ Condition: { StringEquals: { 's3:x-amz-surprise': 'x' } } }), /s3:x-amz-surprise/],
  ['an unknown action', deny({ Action: 's3:PutSurprise' }), /Policy has invalid action: s3:PutSurprise/],
  ['an action of another service', deny({ Action: 'kms:Decrypt' }), /Policy has invalid action: kms:Decrypt/],
  ['another bucket', deny({ Resource: 'arn:aws:s3:::other/*' }), /Policy has invalid resource/],
  ['a bucket whose name only begins alike', deny({ Resource: `${ARN}-two/*` }), /Policy has invalid resource/],
  ['a role that is not there', deny({ Principal: { AWS: 'arn:aws:iam::000000000000:role/nobody' } }), /Invalid principal in policy/],
  ['a user that is not there', deny({ Principal: { AWS: 'arn:aws:iam::000000000000:user/reader' } }), /Invalid principal in policy/],
  ['an action on objects for the bucket alone', deny({ Resource: ARN }), /Action does not apply to any resource/],
  ['an action on the bucket for objects alone', deny({ Action: 's3:ListBucket' }), /Action does not apply to any resource/],
  [
    'a condition on what the action never has',
    deny({ Action: 's3:GetObject', Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } } }),
    /Conditions do not apply/,
  ],
])('%s is malformed', async (_name, malformed, message) => {
  expect(await refusal(put(malformed))).toMatchObject({ answer: '400 MalformedPolicy', message: expect.stringMatching(message) });
});

test.each<[string, object]>([
  ['every action on bucket and objects', { Action: 's3:*', Resource: [ARN, `${ARN}/*`] }],
  [
    'a wildcard of which some action takes the condition',
    { Action: 's3:Put*', Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } } },
  ],
  ['the administrator, by ARN', { Principal: { AWS: 'arn:aws:iam::000000000000:user/administrator' } }],
  ['somebody of another account', { Principal: { AWS: 'arn:aws:iam::111111111111:role/theirs' } }],
  ['NotAction', { Action: undefined, NotAction: 's3:GetObject' }],
  ['NotResource', { Resource: undefined, NotResource: `${ARN}/open/*` }],
  ['actions of operations that the sandbox lacks', { Action: ['s3:PutObjectRetention', 's3:BypassGovernanceRetention'] }],
])('takes %s', async (_name, statement) => {
  const taken = deny({ Principal: { AWS: 'arn:aws:iam::000000000000:role/reader' }, ...statement });
  await put(taken);
  expect(JSON.parse((await sandbox.client.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? '')).toEqual(
    JSON.parse(JSON.stringify(taken)),
  );
});

const PUBLIC: [string, object][] = [
  ['anyone', { Principal: '*' }],
  ['any AWS principal', { Principal: { AWS: '*' } }],
  ['anyone but for a condition with a wildcard', { Principal: '*', Condition: { StringLike: { 'aws:PrincipalArn': '*' } } }],
  ['anyone but for a negated condition', { Principal: '*', Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111111111111' } } }],
];
const grant = (statement: object) => policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `${ARN}/*`, ...statement });

test.each(PUBLIC)('a grant to %s is public, and blocked', async (_name, statement) => {
  expect(await refusal(put(grant(statement)))).toMatchObject({
    answer: '403 AccessDenied',
    message:
      `User: arn:aws:iam::000000000000:user/administrator is not authorized to perform: s3:PutBucketPolicy on resource: "${ARN}" ` +
      'because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
  });
  expect(() => sandbox.s3.putBucketPolicy(Bucket, JSON.stringify(grant(statement)))).toThrow('public policies are prevented');
});

test('without the block a public policy is taken, and still lets in nobody without a signature', async () => {
  await sandbox.client.send(new DeletePublicAccessBlockCommand({ Bucket }));
  for (const [, statement] of PUBLIC) await put(grant(statement));
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'public', Body: 'x' }));
  expect((await fetch(`${sandbox.url}/${Bucket}/public`)).status).toBe(403);
  const PublicAccessBlockConfiguration = { BlockPublicPolicy: true };
  await sandbox.client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
});

test.each<[string, object]>([
  ['a role', { Principal: { AWS: 'arn:aws:iam::000000000000:role/reader' } }],
  ['the account', { Principal: { AWS: '000000000000' } }],
  ['a service', { Principal: { Service: 'cloudtrail.amazonaws.com' } }],
  ['anyone of one account', { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalAccount': '000000000000' } } }],
])('a grant to %s is not public', async (_name, statement) => {
  expect((await put(grant(statement))).$metadata.httpStatusCode).toBe(204);
});

test('a policy that was put in process is checked and in force, and outlives a restart', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sandbox-s3-'));
  const read = (client: Sandbox['client']) => refusal(client.send(new GetObjectCommand({ Bucket, Key: 'kept' })));
  const first = await openSandbox({ dir });
  expect(() => first.s3.putBucketPolicy(Bucket, JSON.stringify(deny({ Surprise: 1 })))).toThrow('Surprise');
  first.s3.putBucketPolicy(Bucket, JSON.stringify(deny({ Action: 's3:GetObject' })));
  await first.client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'x' }));
  const before = await read(first.client);
  await first.stop();
  const again = await openSandbox({ dir });
  const after = await read(again.client);
  await again.stop();
  rmSync(dir, { recursive: true, force: true });
  expect([before.answer, before.message, after.message]).toEqual([
    '403 AccessDenied',
    after.message,
    expect.stringContaining('with an explicit deny in a resource-based policy'),
  ]);
});
