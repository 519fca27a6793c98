import { DescribeKeyCommand, GetKeyPolicyCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { keys } from '../../../cli/doctor/checks/keys.ts';
import { roleArn } from '../../../cli/doctor/names.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { findingsOf, suite } from './suite.ts';
import { healthyWorld, keyPolicy, NAMED_KEY, policyText, refusal, STACK, type World } from './world.ts';

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
