import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { CannotLook } from '../../../cli/cannot-look.ts';
import { targetStatements } from '../../../cli/doctor/expected-policies.ts';
import { type TargetPolicyResult, tryTargetPolicy } from '../../../cli/doctor/probes/target-policy.ts';
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
    made.s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: 'e' } });
    made.s3.on(CompleteMultipartUploadCommand).resolves({});
    made.s3.on(AbortMultipartUploadCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({});
    return made;
  };
  const options = { timeoutMs: 60_000, signal: new AbortController().signal };
  const tried = (made: World): Promise<TargetPolicyResult> => tryTargetPolicy(made.context, options);
  const found = async (made: World) => (await tried(made)).findings.map(({ severity, id }) => `${severity} ${id}`);
  /** As somebody who may break the glass sees it. */
  const breaker = (policy?: World['context']['policy']) => {
    const made = world(policy);
    const operator = 'arn:aws:iam::111111111111:user/ops';
    made.context.operator = operator;
    made.s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404));
    made.secrets.on(GetResourcePolicyCommand).rejects(refusal('AccessDeniedException'));
    made.s3
      .on(GetBucketPolicyCommand, { Bucket: STACK.targetBucket })
      .resolves({ Policy: policyText(...targetStatements(STACK, policy ?? POLICY, [operator])) });
    return made;
  };
  const ALL = policySchema.parse({
    version: 1,
    rules: [
      { match: { prefix: 'plain/' }, encryption: { mode: 'sse-s3' } },
      { match: { prefix: 'twice/' }, encryption: { mode: 'dsse-kms' } },
      { match: { prefix: 'managed/' }, encryption: { mode: 'sse-kms', key: 'aws/s3' } },
      { match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } },
    ],
    default: { encryption: { mode: 'sse-kms', bucketKey: true } },
  });
  const keysOf = (made: World) => made.s3.commandCalls(CreateMultipartUploadCommand).map(({ args }) => String(args[0].input.Key));

  test('refuses what it must and accepts what it must', async () => {
    expect(await tried(world())).toEqual({
      findings: [],
      held: [
        'a write without encryption headers is refused',
        'a direct read is refused',
        `a multipart upload with the right headers is accepted, its part uploaded (sse-kms (${NAMED_KEY}))`,
      ],
      skipped: ['parts that are copied: only who may break the glass can read what to copy'],
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
    const result = await tryTargetPolicy({ ...made.context, operator }, options);
    expect(result.findings).toEqual([]);
    expect(result.held).toContain('a direct read is allowed to you, who may break the glass');
  });

  test('uploads a part and copies one under each mode and kind of key, and says where they lie', async () => {
    const made = breaker(ALL);
    const { findings, held, skipped, written } = await tried(made);
    expect({ findings, skipped }).toEqual({ findings: [], skipped: [] });
    const modes = "sse-s3, dsse-kms (the stack's key), sse-kms (aws/s3), sse-kms (the stack's key, bucket key)";
    expect(held.slice(2)).toEqual([
      `a multipart upload with the right headers is accepted, its part uploaded (${modes})`,
      `a multipart upload with the right headers is accepted, its part copied (${modes})`,
    ]);
    expect(written.map(({ key }) => key).sort()).toEqual(keysOf(made).sort());
    expect(new Set(keysOf(made)).size).toBe(8);
    const uploaded = made.s3.commandCalls(UploadPartCommand).map(({ args }) => `${STACK.targetBucket}/${args[0].input.Key}`);
    expect(made.s3.commandCalls(UploadPartCopyCommand).map(({ args }) => args[0].input.CopySource)).toEqual(uploaded);
  });

  test('finds one that refuses copied parts, once for all modes', async () => {
    const made = breaker(ALL);
    made.s3.on(UploadPartCopyCommand).rejects(denied(DENIED_BY_BUCKET));
    const { findings, written } = await tried(made);
    expect(findings).toMatchObject([
      {
        id: 'target-policy.right-write-refused',
        nextStep: expect.stringContaining('partsAboveMiB=5120'),
        evidence: { step: 'UploadPartCopy', encryptions: { length: 4 } },
      },
    ]);
    expect(written).toHaveLength(4);
  });

  test.each([
    ['that the operator may not use', denied(NO_KEY)],
    ['that are disabled, which their settings say', refusal('KMS.DisabledException')],
  ])('leaves out keys %s where another mode was tried', async (_, cause) => {
    const made = world(ALL);
    made.s3.on(CreateMultipartUploadCommand).rejects(cause);
    made.s3.on(CreateMultipartUploadCommand, { ServerSideEncryption: 'AES256' }).resolves({ UploadId: 'u' });
    const { findings, skipped, written } = await tried(made);
    expect(findings).toEqual([]);
    expect(skipped[0]).toMatch(/^parts under dsse-kms .*, sse-kms .*, sse-kms .*: the key is of no use/);
    expect(written).toMatchObject([{ encryption: { mode: 'sse-s3' } }]);
  });

  test('aborts an upload that it could not complete', async () => {
    const made = world();
    made.s3.on(UploadPartCommand).rejects(denied(DENIED_BY_BUCKET));
    await tried(made);
    expect(made.s3.commandCalls(AbortMultipartUploadCommand)[0]?.args[0].input).toMatchObject({ UploadId: 'u' });
  });

  test('removes what an upload may have become whose end got no answer', async () => {
    const made = world();
    made.s3.on(CompleteMultipartUploadCommand).rejects(refusal('InternalError', 500));
    expect(await found(made)).toEqual(['warning target-policy.could-not-look']);
    expect(made.s3.commandCalls(ListObjectVersionsCommand).map(({ args }) => args[0].input.Prefix)).toContain(keysOf(made)[0]);
  });

  test('stops, and aborts what is under way, when its time ends', async () => {
    const made = breaker();
    const ending = new AbortController();
    made.s3.on(UploadPartCommand).callsFake(async () => {
      ending.abort();
      throw refusal('AbortError');
    });
    const { findings, skipped } = await tryTargetPolicy(made.context, { ...options, signal: ending.signal });
    expect({ findings, skipped }).toEqual({ findings: [], skipped: [`parts under sse-kms (${NAMED_KEY}): time ended`] });
    expect(made.s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(1);
    expect(made.s3.commandCalls(UploadPartCopyCommand)).toEqual([]);
  });

  test('leaves nothing behind when nothing can be looked at any more', async () => {
    const made = breaker(ALL);
    made.s3.on(UploadPartCopyCommand).rejects(refusal('ExpiredToken'));
    await expect(tried(made)).rejects.toThrow(CannotLook);
    const uploaded = made.s3.commandCalls(UploadPartCommand).map(({ args }) => args[0].input.Key);
    expect(made.s3.commandCalls(ListObjectVersionsCommand).map(({ args }) => args[0].input.Prefix)).toEqual(
      expect.arrayContaining(uploaded),
    );
  });

  test('says that SSE-C alone was not tried', async () => {
    const made = world(policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-c' } } }));
    expect((await tried(made)).skipped).toEqual([expect.stringContaining('SSE-C alone')]);
    expect(made.s3.commandCalls(CreateMultipartUploadCommand)).toEqual([]);
  });
});
