import { DescribeKeyCommand, NotFoundException } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { createManagedKey } from '../../src/keys/managed-key.ts';
import { mockAws } from '../fixtures/aws.ts';
import { MANAGED_KEY } from '../fixtures/objects.ts';

const DESCRIBED = { KeyMetadata: { KeyId: 'id', Arn: MANAGED_KEY } };

describe('createManagedKey', () => {
  it('asks by alias, once for all who ask', async () => {
    const { clients, kms } = mockAws();
    kms.on(DescribeKeyCommand).resolves(DESCRIBED);
    const arn = createManagedKey(clients.kms);
    expect(await Promise.all([arn(), arn(), arn()])).toEqual([MANAGED_KEY, MANAGED_KEY, MANAGED_KEY]);
    expect(kms.commandCalls(DescribeKeyCommand).map((call) => call.args[0].input)).toEqual([{ KeyId: 'alias/aws/s3' }]);
  });

  it('does not keep a failure', async () => {
    const { clients, kms } = mockAws();
    kms
      .on(DescribeKeyCommand)
      .rejectsOnce(new NotFoundException({ message: 'no alias', $metadata: {} }))
      .resolves(DESCRIBED);
    const arn = createManagedKey(clients.kms);
    await expect(arn()).rejects.toMatchObject({ code: 'kms-key-not-found' });
    expect(await arn()).toBe(MANAGED_KEY);
  });

  it('does not go on without an ARN', async () => {
    const { clients, kms } = mockAws();
    kms.on(DescribeKeyCommand).resolves({});
    await expect(createManagedKey(clients.kms)()).rejects.toMatchObject({ code: 'kms-key-not-found' });
  });
});
