import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
} from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { buckets } from '../../../cli/doctor/checks/buckets.ts';
import { targetStatements } from '../../../cli/doctor/expected-policies.ts';
import { audit, ingest, rule, target, told } from './bucket-answers.ts';
import {
  allBlocked,
  healthyWorld,
  OTHER_QUEUE,
  POLICY,
  policyText,
  queueArn,
  refusal,
  STACK,
  secretPolicy,
  TARGET,
  TLS,
  type World,
} from './world.ts';

const BREAKER = 'arn:aws:iam::111111111111:user/breaker';

async function findingsOf(world: World): Promise<string[]> {
  return (await buckets.run(world.context)).map(({ severity, id }) => `${severity} ${id}`).sort();
}

describe('buckets', () => {
  test('find nothing where all is well', async () => {
    expect(await buckets.run(healthyWorld().context)).toEqual([]);
  });

  test("are looked at as their owner's", async () => {
    const world = healthyWorld({ stack: { targetBucketOwner: '222222222222' } });
    await buckets.run(world.context);
    for (const { args } of world.s3.calls()) {
      const input = args[0].input as { Bucket: string; ExpectedBucketOwner?: string };
      expect(input.ExpectedBucketOwner).toBe(input.Bucket === STACK.targetBucket ? '222222222222' : STACK.account);
    }
  });

  test.each<[title: string, breakIt: (world: World) => unknown, found: string[]]>([
    [
      'a missing one, and look no further',
      ({ s3 }) => s3.on(HeadBucketCommand, target).rejects(refusal('NotFound', 404)),
      ['error target-bucket.missing'],
    ],
    [
      'one in another Region that S3 names',
      ({ s3 }) => s3.on(HeadBucketCommand, target).resolves({ BucketRegion: 'us-east-1' }),
      ['error target-bucket.other-region'],
    ],
    [
      'one in another Region that S3 redirects to',
      ({ s3 }) => s3.on(HeadBucketCommand, target).rejects(refusal('301', 301)),
      ['error target-bucket.other-region'],
    ],
    [
      "another account's",
      ({ s3 }) => s3.on(HeadBucketCommand, { ...target, ExpectedBucketOwner: STACK.account }).rejects(refusal('403', 403)),
      ['error target-bucket.other-account'],
    ],
    [
      'one that may not be seen at all',
      ({ s3 }) => s3.on(HeadBucketCommand, target).rejects(refusal('403', 403)),
      ['warning target-bucket.could-not-look'],
    ],
    [
      'suspended versions',
      ({ s3 }) => s3.on(GetBucketVersioningCommand).resolves({ Status: 'Suspended' }),
      ['error audit-bucket.not-versioned', 'error target-bucket.not-versioned', 'warning ingest-bucket.not-versioned'],
    ],
    ['no versions', ({ s3 }) => s3.on(GetBucketVersioningCommand, target).resolves({}), ['error target-bucket.not-versioned']],
    [
      'public access half blocked',
      ({ s3 }) =>
        s3
          .on(GetPublicAccessBlockCommand, ingest)
          .resolves({ PublicAccessBlockConfiguration: { ...allBlocked, BlockPublicPolicy: false } }),
      ['error ingest-bucket.public-access-not-blocked'],
    ],
    [
      'public access never blocked',
      ({ s3 }) => s3.on(GetPublicAccessBlockCommand, ingest).rejects(refusal('NoSuchPublicAccessBlockConfiguration', 404)),
      ['error ingest-bucket.public-access-not-blocked'],
    ],
    [
      'ACLs',
      ({ s3 }) =>
        s3.on(GetBucketOwnershipControlsCommand, ingest).resolves({ OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } }),
      ['warning ingest-bucket.acls-enabled'],
    ],
    [
      'no word on ownership',
      ({ s3 }) => s3.on(GetBucketOwnershipControlsCommand, ingest).rejects(refusal('OwnershipControlsNotFoundError', 404)),
      ['warning ingest-bucket.acls-enabled'],
    ],
    [
      'no lifecycle',
      ({ s3 }) => s3.on(GetBucketLifecycleConfigurationCommand, target).rejects(refusal('NoSuchLifecycleConfiguration', 404)),
      ['warning target-bucket.unfinished-uploads-kept'],
    ],
    [
      'a lifecycle rule that is off',
      ({ s3 }) =>
        s3
          .on(GetBucketLifecycleConfigurationCommand, target)
          .resolves({ Rules: [{ Status: 'Disabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }] }),
      ['warning target-bucket.unfinished-uploads-kept'],
    ],
    [
      'no Object Lock',
      ({ s3 }) => s3.on(GetObjectLockConfigurationCommand, audit).rejects(refusal('ObjectLockConfigurationNotFoundError', 404)),
      ['error audit-bucket.not-locked'],
    ],
    [
      'Object Lock that keeps nothing',
      ({ s3 }) => s3.on(GetObjectLockConfigurationCommand, audit).resolves({ ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }),
      ['error audit-bucket.no-retention'],
    ],
    [
      'SSE-C blocked in the target',
      ({ s3 }) => s3.on(GetBucketEncryptionCommand, target).resolves(rule('aws:kms', STACK.keyArn, 'SSE-C')),
      ['error target-bucket.sse-c-blocked'],
    ],
    [
      'SSE-C blocked where it belongs',
      ({ s3 }) => s3.on(GetBucketEncryptionCommand, ingest).resolves(rule('AES256', undefined, 'SSE-C')),
      [],
    ],
    [
      'another default in the target',
      ({ s3 }) => s3.on(GetBucketEncryptionCommand, target).resolves(rule('AES256', undefined, 'NONE')),
      ['warning target-bucket.default-encryption'],
    ],
    [
      'sources under a key that nobody named',
      ({ s3 }) => s3.on(GetBucketEncryptionCommand, ingest).resolves(rule('aws:kms', 'arn:aws:kms:eu-central-1:111111111111:key/theirs')),
      ['warning ingest-bucket.default-encryption'],
    ],
    [
      "sources under the stack's own key",
      ({ s3 }) => s3.on(GetBucketEncryptionCommand, ingest).resolves(rule('aws:kms', STACK.keyArn)),
      [],
    ],
    [
      'no policies',
      ({ s3 }) => {
        for (const bucket of [ingest, target, audit]) s3.on(GetBucketPolicyCommand, bucket).rejects(refusal('NoSuchBucketPolicy', 404));
      },
      [
        'error target-bucket.policy-incomplete',
        'warning audit-bucket.evidence-deletable',
        'warning audit-bucket.tls-not-required',
        'warning ingest-bucket.tls-not-required',
      ],
    ],
    [
      'a policy that takes TLS 1.1',
      ({ s3 }) => s3.on(GetBucketPolicyCommand, ingest).resolves({ Policy: policyText(...TLS.slice(0, 1)) }),
      ['warning ingest-bucket.tls-not-required'],
    ],
    [
      'a target policy that asks for TLS alone',
      ({ s3 }) => s3.on(GetBucketPolicyCommand, target).resolves({ Policy: policyText(...TLS) }),
      ['error target-bucket.policy-incomplete'],
    ],
    [
      'a target policy that allows what it should deny',
      ({ s3 }) =>
        s3
          .on(GetBucketPolicyCommand, target)
          .resolves({ Policy: policyText(...TARGET.map((statement) => ({ ...statement, Effect: 'Allow' }))) }),
      ['error target-bucket.policy-incomplete'],
    ],
    [
      "roles of another stage in the target's policy",
      ({ s3 }) => {
        const Principal = { AWS: 'arn:aws:iam::111111111111:role/sealdrop-test-download-111111111111-eu-central-1' };
        const theirs = { Sid: 'Theirs', Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: '*' };
        s3.on(GetBucketPolicyCommand, target).resolves({ Policy: policyText(...TARGET, theirs) });
      },
      ['error target-bucket.shared-with-another-stage'],
    ],
    [
      'somebody more who may read than may break the glass',
      ({ s3 }) => s3.on(GetBucketPolicyCommand, target).resolves({ Policy: policyText(...targetStatements(STACK, POLICY, [BREAKER])) }),
      ['error target-bucket.policy-incomplete'],
    ],
    [
      'nothing in one who may both break the glass and read',
      ({ s3, secrets }) => {
        secrets.on(GetResourcePolicyCommand).resolves({ ResourcePolicy: secretPolicy([BREAKER]) });
        s3.on(GetBucketPolicyCommand, target).resolves({ Policy: policyText(...targetStatements(STACK, POLICY, [BREAKER])) });
      },
      [],
    ],
    [
      'no notifications',
      ({ s3 }) => s3.on(GetBucketNotificationConfigurationCommand, ingest).resolves({}),
      ['error ingest-bucket.not-notified'],
    ],
    [
      'notifications of some events only',
      ({ s3 }) =>
        s3
          .on(GetBucketNotificationConfigurationCommand, ingest)
          .resolves(told({ QueueArn: queueArn('ingest'), Events: ['s3:ObjectCreated:Put'] })),
      ['error ingest-bucket.not-notified'],
    ],
    [
      'notifications in two entries',
      ({ s3 }) =>
        s3
          .on(GetBucketNotificationConfigurationCommand, target)
          .resolves(
            told(
              { QueueArn: queueArn('target-events'), Events: ['s3:ObjectCreated:*'] },
              { QueueArn: queueArn('target-events'), Events: ['s3:ObjectRemoved:*', 's3:LifecycleExpiration:*'] },
            ),
          ),
      [],
    ],
    [
      'notifications of some keys only',
      ({ s3 }) =>
        s3.on(GetBucketNotificationConfigurationCommand, ingest).resolves(
          told({
            QueueArn: queueArn('ingest'),
            Events: ['s3:ObjectCreated:*'],
            Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'in/' }] } },
          }),
        ),
      ['warning ingest-bucket.partly-notified'],
    ],
    [
      "another stage's queue",
      ({ s3 }) =>
        s3.on(GetBucketNotificationConfigurationCommand, ingest).resolves(told({ QueueArn: OTHER_QUEUE, Events: ['s3:ObjectCreated:*'] })),
      ['error ingest-bucket.not-notified', 'error ingest-bucket.shared-with-another-stage'],
    ],
    [
      'that one thing may not be looked at, and go on with the others',
      ({ s3 }) => {
        s3.on(GetBucketNotificationConfigurationCommand, ingest).rejects(refusal('AccessDenied', 403));
        s3.on(GetBucketVersioningCommand, ingest).resolves({});
      },
      ['warning ingest-bucket.could-not-look', 'warning ingest-bucket.not-versioned'],
    ],
  ])('find %s', async (_, breakIt, found) => {
    const world = healthyWorld();
    breakIt(world);
    expect(await findingsOf(world)).toEqual(found);
  });

  test('that block SSE-C are fine where no rule names it', async () => {
    const policy = { ...healthyWorld().context.policy, rules: [] };
    const world = healthyWorld({ policy });
    world.s3.on(GetBucketEncryptionCommand, target).resolves(rule('aws:kms', STACK.keyArn, 'SSE-C'));
    expect(await findingsOf(world)).toEqual([]);
  });

  test('that were brought keep their own default', async () => {
    const world = healthyWorld({ stack: { targetBucket: 'theirs' } });
    world.s3.on(GetBucketEncryptionCommand, { Bucket: 'theirs' }).resolves(rule('AES256'));
    world.s3
      .on(GetBucketNotificationConfigurationCommand, { Bucket: 'theirs' })
      .resolves(
        told({ QueueArn: queueArn('target-events'), Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'] }),
      );
    expect(await findingsOf(world)).toEqual([]);
  });

  describe('where sources are deleted', () => {
    const deleting = () => healthyWorld({ policy: { ...POLICY, source: 'delete' } });
    const unlocked = ({ s3 }: World) =>
      s3.on(GetObjectLockConfigurationCommand, ingest).rejects(refusal('ObjectLockConfigurationNotFoundError', 404));

    test.each<[title: string, breakIt: (world: World) => unknown, found: string[]]>([
      ['nothing in an ingest bucket with versions', () => {}, []],
      [
        'suspended versions, without which none is deleted',
        ({ s3 }) => s3.on(GetBucketVersioningCommand, ingest).resolves({ Status: 'Suspended' }),
        ['error ingest-bucket.not-versioned'],
      ],
      [
        'versions that only a person with a device deletes',
        ({ s3 }) => s3.on(GetBucketVersioningCommand, ingest).resolves({ Status: 'Enabled', MFADelete: 'Enabled' }),
        ['error ingest-bucket.sources-undeletable'],
      ],
      [
        'versions that Object Lock retains',
        ({ s3 }) =>
          s3.on(GetObjectLockConfigurationCommand, ingest).resolves({
            ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } },
          }),
        ['error ingest-bucket.sources-undeletable'],
      ],
    ])('find %s', async (_, breakIt, found) => {
      const world = deleting();
      unlocked(world);
      breakIt(world);
      expect(await findingsOf(world)).toEqual(found);
    });
  });
});
