/** A run through the whole stack, with failures in it: no key, token or byte is left in the clear on disk, or told to anybody. */
import { randomBytes } from 'node:crypto';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stackClients } from '../../local/clients.ts';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';
import { canariesBelow, canariesIn, type Form, formsOfKey, formsOfText, formsOfToken } from './canary-search.ts';

const NEW_KEY = randomBytes(32);
/** What somebody stored where a key belongs. */
const NO_KEY = `not-a-key-${randomBytes(12).toString('hex')}`;
const BYTES = `canary-bytes-${randomBytes(24).toString('hex')}`;

let stack: LocalStack;
/** All that the stack told anybody. */
const told: string[] = [];
const forms: Form[] = [];

const keep = async (answer: Response) => {
  told.push(JSON.stringify([...answer.headers]));
  const body = await answer.text();
  if (body !== BYTES) told.push(body);
  return answer.status;
};

beforeAll(async () => {
  stack = await startLocalStack();
  forms.push(...formsOfKey('the old key', await stackClients(stack.env).customerKey()), ...formsOfKey('the new key', NEW_KEY));
  forms.push(...formsOfText('no key', NO_KEY), ...formsOfText('the object', BYTES));
});
afterAll(() => stack.stop());

async function storeKey(SecretString: string): Promise<void> {
  await stack.secrets.send(new PutSecretValueCommand({ SecretId: stack.env.SEALDROP_CUSTOMER_KEY_SECRET, SecretString }));
  // The functions keep a version for minutes.
  await stack.restart();
}

async function tokens() {
  const all = {
    'a token': stack.env.SEALDROP_TOKEN ?? '',
    'a stranger': await stack.sandbox.issueToken({ sub: 'stranger', groups: ['nobody'] }),
  };
  for (const [name, token] of Object.entries(all)) forms.push(...formsOfToken(name, token));
  const [head, claims, signature = ''] = all['a token'].split('.');
  return [...Object.values(all), `${head}.${claims}.${[...signature].reverse().join('')}`, `${head}.${claims}.`, null];
}

/** Every key for every caller. */
async function fetchAll(keys: string[]): Promise<Set<number>> {
  const calls = (await tokens()).flatMap((token) => [
    ...keys.flatMap((key) => ['GET', 'HEAD'].map((method) => () => stack.get(key, { token, method }))),
    () => stack.api('/audit?key=customer/1', { token }),
    () => stack.api('/objects?limit=5', { token }),
  ]);
  return new Set(await pMap(calls, async (call) => keep(await call()), { concurrency: 4 }));
}

async function drop(version: string): Promise<void> {
  for (const prefix of ['customer', 'default', 'lost']) await stack.drop(`${prefix}/${version}`, BYTES);
}

async function keepDeadLetters(count: number): Promise<void> {
  const letters = await stack.takeDeadLetters(count);
  told.push(JSON.stringify(letters));
  expect(letters).toHaveLength(count);
}

test('objects are served, refused and missed', async () => {
  await drop('1');
  await stack.settled();
  await keepDeadLetters(1);
  expect(await fetchAll(['customer/1', 'default/1', 'no such key'])).toEqual(new Set([200, 401, 403, 404]));
});

test('keys fail: one is disabled, and what lies in the secret is none', async () => {
  await storeKey(NO_KEY);
  const KeyId = stack.env.SEALDROP_KMS_KEY_ARN;
  await stack.kms.send(new DisableKeyCommand({ KeyId }));
  await drop('2');
  await stack.enqueue('{"Records":[{"eventSource":"aws:s3"}]}');
  await keepDeadLetters(4);
  expect(await fetchAll(['default/1', 'customer/2'])).toContain(503);
  await stack.kms.send(new EnableKeyCommand({ KeyId }));
});

test('keys rotate', async () => {
  await storeKey(NEW_KEY.toString('base64'));
  await drop('3');
  await stack.settled();
  expect(await fetchAll(['customer/1', 'customer/3'])).toContain(200);
});

test('of all that was told, nothing shows what must stay secret', async () => {
  const { config, auditTable } = stackClients(stack.env);
  const { Items = [] } = await new DynamoDBClient(config).send(new ScanCommand({ TableName: auditTable }));
  expect(Items.length).toBeGreaterThan(10);
  expect(told.length).toBeGreaterThan(50);
  expect(canariesIn([...told, JSON.stringify(Items)].join('\n'), forms)).toEqual([]);
});

test('of all that was written, logs among it, nothing shows it either', () => {
  const { files, found } = canariesBelow(stack.dataDir, forms);
  expect(files).toBeGreaterThan(10);
  expect(found).toEqual([]);
  expect(canariesBelow(stack.dataDir, formsOfText('a log line', '"message":"dead-lettered"')).found).toEqual([
    expect.stringMatching(/^logs\/.*encrypt.*\.log: a log line$/),
  ]);
});

test('the canaries are really in use', async () => {
  const { SecretString } = await stack.secrets.send(new GetSecretValueCommand({ SecretId: stack.env.SEALDROP_CUSTOMER_KEY_SECRET }));
  expect(canariesIn(SecretString ?? '', forms)).toContain('the new key, base64');
  expect(await (await stack.get('customer/3')).text()).toBe(BYTES);
});
