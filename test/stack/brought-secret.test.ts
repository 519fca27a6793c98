/** A customer key that was there before, under a key of its owner. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, expect, test } from 'vitest';
import { stackClients } from '../../local/clients.ts';
import { deploy, read, work } from './deployed.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-brought-secret-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('is read by the functions, through Secrets Manager', async () => {
  const before = await deploy(dataDir);
  const { kms, secrets } = stackClients(before.environment());
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const secret = { Name: 'team/customer-key', SecretString: 'ab'.repeat(32), KmsKeyId: KeyMetadata?.Arn };
  const { ARN = '' } = await secrets.send(new CreateSecretCommand(secret));
  await before.stop();

  const after = await deploy(dataDir, { customerKeySecret: ARN });
  try {
    await work(after, 'customer/a.txt');
    expect(await read(after, 'customer/a.txt')).toBe('customer/a.txt');
  } finally {
    await after.stop();
  }
}, 120_000);
