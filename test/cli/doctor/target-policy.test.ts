import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { targetStatements } from '../../../cli/doctor/expected-policies.ts';
import { tryTargetPolicy } from '../../../cli/doctor/probes/target-policy.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import {
  DENIED_BY_BUCKET,
  denied,
  healthyWorld,
  NAMED_KEY,
  NO_KEY,
  NOT_ALLOWED,
  POLICY,
  policyText,
  refusal,
  STACK,
  type World,
} from './world.ts';

describe("the target bucket's policy, by trying it", () => {
  const world = (policy?: World['context']['policy']) => {
    const made = healthyWorld(policy && { policy });
    made.s3.on(PutObjectCommand).rejects(denied(DENIED_BY_BUCKET));
    made.s3.on(GetObjectCommand).rejects(denied(DENIED_BY_BUCKET.replace('PutObject', 'GetObject')));
    made.s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
    made.s3.on(UploadPartCommand).resolves({ ETag: 'e' });
    made.s3.on(CompleteMultipartUploadCommand).resolves({});
    made.s3.on(AbortMultipartUploadCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({});
    return made;
  };
  const found = async (made: World) => (await tryTargetPolicy(made.context)).findings.map(({ severity, id }) => `${severity} ${id}`);

  test('refuses what it must and accepts what it must', async () => {
    expect(await tryTargetPolicy(world().context)).toEqual({
      findings: [],
      held: [
        'a write without encryption headers is refused',
        'a direct read is refused',
        'a multipart upload with the right headers is accepted',
      ],
      skipped: [],
      written: [
        { key: expect.stringMatching(/^keyed\/sealdrop-doctor\//), encryption: { mode: 'sse-kms', key: NAMED_KEY, bucketKey: false } },
      ],
    });
  });

  test.each<[title: string, breakIt: (world: World) => unknown, ids: string[]]>([
    ['that takes a plain write', ({ s3 }) => s3.on(PutObjectCommand).resolves({}), ['error target-policy.plain-write-accepted']],
    [
      'that leaves a plain write to the KMS key',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied(NO_KEY)),
      ['error target-policy.plain-write-accepted'],
    ],
    [
      'that cannot be tried without s3:PutObject',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied(NOT_ALLOWED)),
      ['warning target-policy.could-not-look'],
    ],
    [
      'of another account, which does not say who refused',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied('Access Denied')),
      ['warning target-policy.could-not-look'],
    ],
    [
      'that lets the operator read',
      ({ s3 }) => s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404)),
      ['error target-policy.read-allowed'],
    ],
    [
      'that refuses an upload with the right headers',
      ({ s3 }) => s3.on(CreateMultipartUploadCommand).rejects(denied(DENIED_BY_BUCKET)),
      ['error target-policy.right-write-refused'],
    ],
    [
      'that refuses parts',
      ({ s3 }) => s3.on(UploadPartCommand).rejects(denied(DENIED_BY_BUCKET)),
      ['error target-policy.right-write-refused'],
    ],
    [
      'under keys that the operator may not use',
      ({ s3 }) => s3.on(CreateMultipartUploadCommand).rejects(denied(NO_KEY)),
      ['warning target-policy.could-not-look'],
    ],
  ])('finds one %s', async (_, breakIt, ids) => {
    const made = world();
    breakIt(made);
    expect(await found(made)).toEqual(ids);
  });

  test.each([
    ['a user', 'arn:aws:iam::111111111111:user/ops', 'arn:aws:iam::111111111111:user/ops'],
    ['a session of a role with a path', 'arn:aws:sts::111111111111:assumed-role/Breaker/me', 'arn:aws:iam::111111111111:role/team/Breaker'],
  ])('knows %s who may break the glass', async (_, operator, named) => {
    const made = world();
    made.s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404));
    made.secrets.on(GetResourcePolicyCommand).rejects(refusal('AccessDeniedException'));
    made.s3
      .on(GetBucketPolicyCommand, { Bucket: STACK.targetBucket })
      .resolves({ Policy: policyText(...targetStatements(STACK, POLICY, [named])) });
    const result = await tryTargetPolicy({ ...made.context, operator });
    expect(result.findings).toEqual([]);
    expect(result.held).toContain('a direct read is allowed to you, who may break the glass');
  });

  test('aborts an upload that it could not complete', async () => {
    const made = world();
    made.s3.on(UploadPartCommand).rejects(denied(DENIED_BY_BUCKET));
    await tryTargetPolicy(made.context);
    expect(made.s3.commandCalls(AbortMultipartUploadCommand)[0]?.args[0].input).toMatchObject({ UploadId: 'u' });
  });

  test('tries SSE-S3 first, which needs no right on a key', async () => {
    const rules = [{ match: { suffix: '.txt' }, encryption: { mode: 'sse-s3' } }];
    const made = world(policySchema.parse({ version: 1, rules, default: { encryption: { mode: 'sse-kms' } } }));
    await tryTargetPolicy(made.context);
    expect(made.s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
      Key: expect.stringMatching(/\.txt$/),
      ServerSideEncryption: 'AES256',
    });
  });

  test('says that SSE-C alone was not tried', async () => {
    const made = world(policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-c' } } }));
    expect((await tryTargetPolicy(made.context)).skipped).toEqual([expect.stringContaining('SSE-C alone')]);
    expect(made.s3.commandCalls(CreateMultipartUploadCommand)).toEqual([]);
  });
});
