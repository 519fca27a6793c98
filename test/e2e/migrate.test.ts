/** Objects that the S3 Encryption Client wrote, dropped, decrypted by the function under its own role, and read again by the API. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { DisableKeyCommand, EnableKeyCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKeyStore } from '../../sandbox/kms/key-store.ts';
import { openState } from '../../sandbox/state.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const KEY_ID = '00000000-0000-4000-8000-00000000000a';
const SUITE = 'AES/GCM/NoPadding';

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/migrate.yml', {}, {}, (dataDir) => {
    const state = openState(dataDir);
    openKeyStore(state).create({ id: KEY_ID, description: 'of the client', tags: '[]', manager: 'CUSTOMER' });
    state.close();
  });
});
afterAll(() => stack.stop());

/** As the client's version 2 does: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/s3-encryption */
async function encryptedByClient(plaintext: Buffer): Promise<{ body: Buffer; Metadata: Record<string, string> }> {
  const context = { tenant: 'one', 'aws:x-amz-cek-alg': SUITE };
  const { Plaintext = new Uint8Array(), CiphertextBlob = new Uint8Array() } = await stack.kms.send(
    new GenerateDataKeyCommand({ KeyId: KEY_ID, KeySpec: 'AES_256', EncryptionContext: context }),
  );
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Plaintext, iv);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  const Metadata = {
    'x-amz-key-v2': Buffer.from(CiphertextBlob).toString('base64'),
    'x-amz-iv': iv.toString('base64'),
    'x-amz-matdesc': JSON.stringify(context),
    'x-amz-wrap-alg': 'kms+context',
    'x-amz-cek-alg': SUITE,
    'x-amz-tag-len': '128',
    owner: 'pat',
  };
  return { body, Metadata };
}

test.each([
  ['old/to-sse/letter.txt', 'sse-kms'],
  ['old/to-cse/letter.txt', 'cse-kms'],
])('%s is read as plaintext, stored under %s', async (key, mode) => {
  const plaintext = randomBytes(1_500_000);
  const { body, Metadata } = await encryptedByClient(plaintext);
  await stack.drop(key, body, { Metadata, ContentType: 'text/plain' });
  await stack.settled();
  const answer = await stack.get(key);
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).equals(plaintext)).toBe(true);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'x-sealdrop-encryption': mode,
    'x-sealdrop-length': '1500000',
    'x-amz-meta-owner': 'pat',
    'content-type': 'text/plain',
  });
  expect([...answer.headers.keys()].filter((name) => name.startsWith('x-amz-meta-'))).toEqual(['x-amz-meta-owner']);
  const [encrypted] = await stack.history(key);
  expect(encrypted).toMatchObject({ action: 'ObjectEncrypted', size: 1_500_000 });
});

test('a disabled key of the client is a dead letter by name', async () => {
  const { body, Metadata } = await encryptedByClient(randomBytes(100));
  await stack.kms.send(new DisableKeyCommand({ KeyId: KEY_ID }));
  try {
    await stack.drop('old/to-cse/second.txt', body, { Metadata });
    const [letter] = await stack.takeDeadLetters(1);
    expect(letter?.MessageAttributes?.code?.StringValue).toBe('kms-key-disabled');
  } finally {
    await stack.kms.send(new EnableKeyCommand({ KeyId: KEY_ID }));
  }
});
