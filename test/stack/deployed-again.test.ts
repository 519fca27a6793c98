/** A stage that was removed, deployed again onto all that it left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { GetBucketPolicyCommand } from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, expect, test } from 'vitest';
import { deploy, read, work } from './deployed.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-again-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('works on, with its objects, its keys, its history and all that guards them', async () => {
  const before = await deploy(dataDir);
  await work(before, 'bucket-key/old.txt');
  const { kms } = await work(before, 'customer/old.txt');
  const { outputs } = before;
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/sealdrop-dev-operations' }));
  await before.stop();

  const brought = {
    ingestBucket: outputs.IngestBucketName ?? '',
    targetBucket: outputs.TargetBucketName ?? '',
    auditBucket: outputs.AuditBucketName ?? '',
    auditTable: outputs.AuditTableName ?? '',
    kmsKey: outputs.KeyArn ?? '',
    operationsKey: KeyMetadata?.Arn ?? '',
    customerKeySecret: outputs.CustomerKeySecret ?? '',
  };
  const after = await deploy(dataDir, brought);
  try {
    const names = Object.keys(outputs).filter((name) => name !== 'ServiceEndpoint' && !name.endsWith('Url'));
    for (const name of names) expect([name, after.outputs[name]]).toEqual([name, outputs[name]]);
    const clients = await work(after, 'bucket-key/new.txt');
    await work(after, 'customer/new.txt');
    for (const key of ['bucket-key/old.txt', 'customer/old.txt', 'bucket-key/new.txt', 'customer/new.txt']) {
      expect(await read(after, key)).toBe(key);
    }
    for (const Bucket of [brought.ingestBucket, brought.targetBucket, brought.auditBucket]) {
      expect((await clients.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toContain('OnlyByTls12');
    }
    const secret = await clients.secrets.send(new GetResourcePolicyCommand({ SecretId: brought.customerKeySecret }));
    expect(secret.ResourcePolicy).toContain('NoDeletionAtOnce');
    const Key = { pk: { S: 'audit#a' }, sk: { S: '0' } };
    const change = new DynamoDBClient(clients.config).send(new DeleteItemCommand({ TableName: brought.auditTable, Key }));
    await expect(change).rejects.toMatchObject({ name: 'AccessDeniedException' });
  } finally {
    await after.stop();
  }
}, 120_000);
