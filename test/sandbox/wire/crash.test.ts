import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { openKms } from '../../../sandbox/kms/kms.ts';
import { openSecretsManager } from '../../../sandbox/secrets-manager/secrets-manager.ts';
import { openSqs } from '../../../sandbox/sqs/sqs.ts';
import { openState } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';

test('what was answered survives kill -9 in every service', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'crash-'));
  const child = fork(join(import.meta.dirname, 'crash-child.ts'), [dir], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const [{ accessKeyId, ciphertextBlob }] = await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const state = openState(dir);
  const kms = openKms(state);
  const sqs = openSqs(state);
  const dynamodb = openDynamoDb(state);
  expect(openCredentials(state).find(accessKeyId)?.accessKeyId).toBe(accessKeyId);
  const caller = { principal: openCredentials(state).administrator().principal, viaService: 's3' };
  expect(kms.decrypt(Buffer.from(ciphertextBlob, 'base64'), {}, caller).plaintext).toHaveLength(32);
  expect(await openSecretsManager(state, kms).call('GetSecretValue', { SecretId: 'kept' })).toMatchObject({ SecretString: 'value' });
  expect(sqs.receive('arn:aws:sqs:us-east-1:000000000000:kept', { max: 10 }).map(({ body }) => body)).toEqual(['message']);
  expect(await dynamodb.call('GetItem', { TableName: 'kept', Key: { pk: { S: 'item' } } })).toEqual({ Item: { pk: { S: 'item' } } });
  sqs.close();
  await dynamodb.close();
  state.close();
  rmSync(dir, { recursive: true });
});
