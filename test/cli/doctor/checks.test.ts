import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { SimulatePrincipalPolicyCommand, type SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, GetKeyPolicyCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { DescribeSecretCommand, GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { keys } from '../../../cli/doctor/checks/keys.ts';
import { queues } from '../../../cli/doctor/checks/queues.ts';
import { roles } from '../../../cli/doctor/checks/roles.ts';
import { secret } from '../../../cli/doctor/checks/secret.ts';
import { policyFile, stackStatus } from '../../../cli/doctor/checks/stack-status.ts';
import { table } from '../../../cli/doctor/checks/table.ts';
import type { Check } from '../../../cli/doctor/context.ts';
import { roleArn } from '../../../cli/doctor/names.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import {
  healthyTable,
  healthyWorld,
  keyPolicy,
  NAMED_KEY,
  POLICY,
  policyText,
  queueAttributes,
  queuePolicy,
  refusal,
  STACK,
  simulated,
  type World,
} from './world.ts';

type Row = [title: string, break_: (world: World) => unknown, found: string[]];

/** What the check finds: `severity id`, sorted. */
async function findingsOf(check: Check, world: World): Promise<string[]> {
  return (await check.run(world.context)).map(({ severity, id }) => `${severity} ${id}`).sort();
}

function suite(check: Check, rows: Row[]): void {
  test('finds nothing where all is well', async () => {
    expect(await check.run(healthyWorld().context)).toEqual([]);
  });
  test.each(rows)('finds %s', async (_, breakIt, found) => {
    const world = healthyWorld();
    breakIt(world);
    expect(await findingsOf(check, world)).toEqual(found);
  });
}

describe('the stack', () => {
  const rows: [string, string[]][] = [
    ['CREATE_COMPLETE', []],
    ['UPDATE_COMPLETE', []],
    ['UPDATE_IN_PROGRESS', ['warning stack.in-progress']],
    ['UPDATE_ROLLBACK_COMPLETE', ['warning stack.rolled-back']],
    ['UPDATE_ROLLBACK_FAILED', ['error stack.failed']],
    ['ROLLBACK_COMPLETE', ['error stack.failed']],
  ];
  test.each(rows)('in state %s: %j', async (status, found) => {
    expect(await findingsOf(stackStatus, healthyWorld({ stack: { status } }))).toEqual(found);
  });
});

describe('the policy', () => {
  test('is the deployed one', async () => {
    expect(await findingsOf(policyFile, healthyWorld())).toEqual([]);
  });
  test('differs from the deployed one', async () => {
    const [finding] = await policyFile.run(healthyWorld({ stack: { policyFingerprint: '0000000000000000' } }).context);
    expect(finding).toMatchObject({
      id: 'policy.not-deployed',
      severity: 'error',
      command: 'npx serverless deploy --stage prod --param policy=policy.yml',
    });
  });
  test('has a rule that nothing reaches, told by its place in the file', async () => {
    const first = POLICY.rules[0];
    const rules = first === undefined ? [] : [...POLICY.rules, { ...first, match: { prefix: 'cards/gold/' } }];
    const [, finding] = await policyFile.run(healthyWorld({ policy: { ...POLICY, rules } }).context);
    expect(finding).toMatchObject({ id: 'policy.never-reached', evidence: { rule: 3 } });
  });
});

describe('keys', () => {
  const described = (change: object) => (world: World) =>
    world.kms.on(DescribeKeyCommand, { KeyId: STACK.keyArn }).resolves({
      KeyMetadata: {
        KeyId: STACK.keyArn,
        KeyState: 'Enabled',
        KeySpec: 'SYMMETRIC_DEFAULT',
        KeyUsage: 'ENCRYPT_DECRYPT',
        ...change,
      },
    });
  suite(keys, [
    ['a disabled key', described({ KeyState: 'Disabled' }), ['error key.disabled']],
    ['a key that will be deleted', described({ KeyState: 'PendingDeletion' }), ['error key.pending-deletion']],
    ['a key without material', described({ KeyState: 'PendingImport' }), ['error key.unusable']],
    ['a key for signatures', described({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }), ['error key.not-symmetric']],
    [
      'a key that does not exist',
      ({ kms }) => {
        for (const command of [DescribeKeyCommand, GetKeyRotationStatusCommand, GetKeyPolicyCommand] as const)
          kms.on(command, { KeyId: NAMED_KEY }).rejects(refusal('NotFoundException'));
      },
      ['error key.missing'],
    ],
    [
      'a key without rotation',
      ({ kms }) => kms.on(GetKeyRotationStatusCommand).resolves({}),
      ['warning key.not-rotated', 'warning key.not-rotated'],
    ],
    [
      'a key policy that leaves the download role out',
      ({ kms }) => kms.on(GetKeyPolicyCommand, { KeyId: STACK.keyArn }).resolves({ Policy: keyPolicy([roleArn(STACK, 'encrypt')]) }),
      ['error key.role-not-allowed'],
    ],
    [
      'a key policy without a word on roles',
      ({ kms }) => kms.on(GetKeyPolicyCommand, { KeyId: NAMED_KEY }).resolves({ Policy: policyText() }),
      ['error key.role-not-allowed', 'error key.role-not-allowed'],
    ],
    [
      'that it may not look',
      ({ kms }) => kms.on(DescribeKeyCommand, { KeyId: NAMED_KEY }).rejects(refusal('AccessDeniedException')),
      ['warning key.could-not-look'],
    ],
  ]);

  const naming = (key: string, formerKeys: string[] = []) =>
    policySchema.parse({ version: 1, formerKeys, default: { encryption: { mode: 'sse-kms', key } } });

  test('of another Region, and asks KMS nothing about them', async () => {
    const world = healthyWorld({ policy: naming('arn:aws:kms:us-east-1:111111111111:key/a') });
    expect(await findingsOf(keys, world)).toEqual(['error key.other-region']);
    expect(world.kms.commandCalls(DescribeKeyCommand)).toHaveLength(1);
  });
  test('of another account are said, and their policy is not asked for', async () => {
    const world = healthyWorld({ policy: naming('arn:aws:kms:eu-central-1:222222222222:key/a') });
    expect(await findingsOf(keys, world)).toEqual(['warning key.other-account']);
    expect(world.kms.commandCalls(GetKeyPolicyCommand)).toHaveLength(1);
  });
  test("of the target bucket's owner are expected", async () => {
    const policy = naming('arn:aws:kms:eu-central-1:222222222222:key/a');
    expect(await findingsOf(keys, healthyWorld({ policy, stack: { targetBucketOwner: '222222222222' } }))).toEqual([]);
  });
  test('former ones are looked at too, but only download needs them', async () => {
    const former = 'arn:aws:kms:eu-central-1:111111111111:key/former';
    const world = healthyWorld({ policy: naming('aws/s3', [former]) });
    world.kms.on(GetKeyPolicyCommand, { KeyId: former }).resolves({ Policy: keyPolicy([roleArn(STACK, 'download')]) });
    expect(await findingsOf(keys, world)).toEqual([]);
    world.kms.on(GetKeyPolicyCommand, { KeyId: former }).resolves({ Policy: keyPolicy([roleArn(STACK, 'encrypt')]) });
    expect(await findingsOf(keys, world)).toEqual(['error key.role-not-allowed']);
  });
  test('aws/s3 that nobody has used yet', async () => {
    const world = healthyWorld({ policy: naming('aws/s3') });
    world.kms.on(DescribeKeyCommand, { KeyId: 'alias/aws/s3' }).rejects(refusal('NotFoundException'));
    expect(await findingsOf(keys, world)).toEqual(['warning key.managed-key-missing']);
  });
});

describe('the secret', () => {
  suite(secret, [
    ['none', ({ secrets }) => secrets.rejects(refusal('ResourceNotFoundException')), ['error secret.missing']],
    [
      'a deleted one',
      ({ secrets }) => secrets.on(DescribeSecretCommand).resolves({ DeletedDate: new Date(), VersionIdsToStages: { one: ['AWSCURRENT'] } }),
      ['error secret.deleted'],
    ],
    ['one without a current version', ({ secrets }) => secrets.on(DescribeSecretCommand).resolves({}), ['error secret.no-current-version']],
    [
      'a rotation that did not end',
      ({ secrets }) => secrets.on(DescribeSecretCommand).resolves({ VersionIdsToStages: { one: ['AWSCURRENT'], two: ['AWSPENDING'] } }),
      ['warning secret.rotation-unfinished'],
    ],
    [
      'a rotation that is overdue',
      ({ secrets }) =>
        secrets.on(DescribeSecretCommand).resolves({
          VersionIdsToStages: { one: ['AWSCURRENT'] },
          RotationEnabled: true,
          NextRotationDate: new Date(Date.now() - 2 * 86_400_000),
        }),
      ['warning secret.rotation-overdue'],
    ],
    ['one that others may read', ({ secrets }) => secrets.on(GetResourcePolicyCommand).resolves({}), ['warning secret.readable']],
    [
      'that it may not look',
      ({ secrets }) => secrets.on(DescribeSecretCommand).rejects(refusal('AccessDeniedException')),
      ['warning secret.could-not-look'],
    ],
  ]);
  test('never asks for the value', async () => {
    const world = healthyWorld();
    await secret.run(world.context);
    expect(
      world.secrets
        .calls()
        .map(({ args: [command] }) => command.constructor.name)
        .sort(),
    ).toEqual(['DescribeSecretCommand', 'GetResourcePolicyCommand']);
  });
});

describe('queues', () => {
  const ingest = (change: Record<string, string | undefined>) => (world: World) => {
    const given = { ...queueAttributes('ingest', STACK.ingestBucket), ...change };
    const Attributes = Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    world.sqs.on(GetQueueAttributesCommand, { QueueUrl: STACK.ingestQueueUrl }).resolves({ Attributes });
  };
  const waiting = (Messages: object[]) => (world: World) => {
    world.sqs
      .on(GetQueueAttributesCommand, { QueueUrl: STACK.deadLetterQueueUrl })
      .resolves({ Attributes: { SqsManagedSseEnabled: 'true', ApproximateNumberOfMessages: String(Math.max(1, Messages.length)) } });
    world.sqs.on(ReceiveMessageCommand).resolves({ Messages });
  };
  const letter = (code: string, sent: number) => ({
    MessageAttributes: { code: { DataType: 'String', StringValue: code } },
    Attributes: { SentTimestamp: String(sent) },
  });
  const ingestArn = `arn:aws:s3:::${STACK.ingestBucket}`;
  suite(queues, [
    ['no dead letters', ingest({ RedrivePolicy: undefined }), ['error ingest-queue.no-dead-letters']],
    [
      'dead letters that go elsewhere',
      ingest({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:eu-central-1:111111111111:other', maxReceiveCount: 5 }) }),
      ['error ingest-queue.no-dead-letters'],
    ],
    ['no encryption', ingest({ SqsManagedSseEnabled: 'false' }), ['warning ingest-queue.not-encrypted']],
    ['no policy', ingest({ Policy: undefined }), ['error ingest-queue.bucket-not-allowed']],
    ['a policy for another bucket', ingest({ Policy: queuePolicy('arn:aws:s3:::other') }), ['error ingest-queue.bucket-not-allowed']],
    ['a policy for any bucket', ingest({ Policy: queuePolicy('arn:aws:s3:::*') }), ['warning ingest-queue.open-to-others']],
    [
      'a policy for two buckets',
      ingest({ Policy: queuePolicy([ingestArn, 'arn:aws:s3:::other']) }),
      ['warning ingest-queue.open-to-others'],
    ],
    [
      'no queue',
      ({ sqs }) => sqs.on(GetQueueAttributesCommand, { QueueUrl: STACK.targetEventsQueueUrl }).rejects(refusal('QueueDoesNotExist')),
      ['error target-events-queue.missing'],
    ],
    ['waiting dead letters', waiting([letter('too-large', 1)]), ['warning ingest-dead-letters.waiting']],
    [
      'that it may not look',
      ({ sqs }) => sqs.on(GetQueueAttributesCommand).rejects(refusal('AccessDenied', 403)),
      [
        'warning ingest-dead-letters.could-not-look',
        'warning ingest-queue.could-not-look',
        'warning target-events-dead-letters.could-not-look',
        'warning target-events-queue.could-not-look',
      ],
    ],
  ]);
  test('say why letters wait, since when, and what to do by cause', async () => {
    const world = healthyWorld();
    waiting([letter('kms-key-disabled', 2000), letter('sse-c-blocked', 1000), letter('kms-key-disabled', 3000)])(world);
    const [finding] = await queues.run(world.context);
    expect(finding?.what).toBe('3 messages wait: kms-key-disabled, sse-c-blocked, the oldest seen since 1970-01-01T00:00:01.000Z');
    expect(finding?.nextStep).toMatch(/^kms-key-disabled: Enable the KMS key.*sse-c-blocked: Set BlockedEncryptionTypes/);
  });
  test('letters that may be counted and not read are counted', async () => {
    const world = healthyWorld();
    waiting([])(world);
    world.sqs.on(ReceiveMessageCommand).rejects(refusal('AccessDenied', 403));
    expect((await queues.run(world.context))[0]?.what).toBe('1 message waits');
  });
});

describe('the table', () => {
  const described = (change: object) => (world: World) =>
    world.dynamodb.on(DescribeTableCommand).resolves({ Table: { ...healthyTable, ...change } });
  suite(table, [
    ['none', ({ dynamodb }) => dynamodb.rejects(refusal('ResourceNotFoundException')), ['error table.missing']],
    ['one that is not ready', described({ TableStatus: 'ARCHIVED' }), ['error table.not-active']],
    ['other keys', described({ KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }), ['error table.other-keys']],
    ['no KMS key', described({ SSEDescription: undefined }), ['warning table.no-kms-key']],
    ['no protection from deletion', described({ DeletionProtectionEnabled: false }), ['warning table.deletable']],
    ['no way back', ({ dynamodb }) => dynamodb.on(DescribeContinuousBackupsCommand).resolves({}), ['warning table.not-recoverable']],
    [
      'that it may not look',
      ({ dynamodb }) => dynamodb.on(DescribeTableCommand).rejects(refusal('AccessDeniedException')),
      ['warning table.could-not-look'],
    ],
  ]);
});

describe('roles', () => {
  const deciding = (decide: (input: SimulatePrincipalPolicyCommandInput, action: string) => string | undefined) => (world: World) =>
    world.iam.on(SimulatePrincipalPolicyCommand).callsFake((input: SimulatePrincipalPolicyCommandInput) => ({
      EvaluationResults: simulated(STACK, POLICY, input).EvaluationResults.map((result) => ({
        ...result,
        EvalDecision: decide(input, result.EvalActionName) ?? result.EvalDecision,
      })),
    }));
  const is = (input: SimulatePrincipalPolicyCommandInput, name: 'encrypt' | 'list') => input.PolicySourceArn === roleArn(STACK, name);
  suite(roles, [
    [
      'a right that is missing',
      deciding((input, action) => (is(input, 'encrypt') && action === 's3:GetObjectTagging' ? 'implicitDeny' : undefined)),
      ['error role.lacks-right'],
    ],
    [
      'a right that is denied',
      deciding((input, action) => (is(input, 'encrypt') && action === 'sqs:SendMessage' ? 'explicitDeny' : undefined)),
      ['error role.lacks-right'],
    ],
    [
      'a right too many',
      deciding((input, action) => (is(input, 'list') && action === 'kms:Decrypt' ? 'allowed' : undefined)),
      ['error role.too-wide'],
    ],
    [
      'that the simulator is silent on an action',
      (world: World) =>
        world.iam.on(SimulatePrincipalPolicyCommand, { PolicySourceArn: roleArn(STACK, 'history') }).resolves({ EvaluationResults: [] }),
      Array.from({ length: 6 }, () => 'warning role.could-not-look'),
    ],
    [
      'a missing role, once',
      ({ iam }) =>
        iam.on(SimulatePrincipalPolicyCommand, { PolicySourceArn: roleArn(STACK, 'list') }).rejects(refusal('NoSuchEntity', 404)),
      ['error role.missing'],
    ],
    [
      'that it may not look, once a role',
      ({ iam }) => iam.on(SimulatePrincipalPolicyCommand).rejects(refusal('AccessDenied', 403)),
      Array.from({ length: 7 }, () => 'warning role.could-not-look'),
    ],
  ]);
});
