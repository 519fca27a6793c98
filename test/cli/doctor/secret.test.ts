import { DescribeSecretCommand, GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { secret } from '../../../cli/doctor/checks/secret.ts';
import { suite } from './suite.ts';
import { healthyWorld, refusal } from './world.ts';

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
  test('of the wrapping key is looked at too, where there is one', async () => {
    const world = healthyWorld();
    world.secrets
      .on(DescribeSecretCommand, { SecretId: 'wrapping' })
      .resolves({ DeletedDate: new Date(), VersionIdsToStages: { one: ['AWSCURRENT'] } });
    const { context } = world;
    const found = await secret.run({ ...context, stack: { ...context.stack, wrappingKeySecret: 'wrapping' } });
    expect(found).toEqual([
      expect.objectContaining({ id: 'secret.deleted', resource: 'wrapping', what: expect.stringContaining('cse-aes') }),
    ]);
  });

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
