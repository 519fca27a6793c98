/** Real clients that we did not write: the AWS CLI and curl, where the machine has them. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const run = promisify(execFile);
const installed = (command: string) => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Above the CLI's 8 MB threshold: it goes up in parts. */
const MULTIPART_BYTES = 30 * 1024 * 1024;

describe.runIf(installed('aws') && installed('curl'))('the AWS CLI and curl', () => {
  let stack: LocalStack;
  let folder: string;

  beforeAll(async () => {
    stack = await startLocalStack('policy.yml');
    folder = mkdtempSync(join(tmpdir(), 'sealdrop-cli-'));
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const environment = () => ({ PATH: process.env.PATH ?? '', HOME: folder, AWS_PAGER: '', ...stack.env });
  const aws = async (...args: string[]) => (await run('aws', args, { env: environment(), maxBuffer: 1 << 26 })).stdout;
  /** Version 1 of the CLI takes SQS's endpoint from the command line only. */
  const sqs = () => ['sqs', '--endpoint-url', stack.env.AWS_ENDPOINT_URL ?? ''];
  const refusal = async (...args: string[]) => {
    const error = await run('aws', args, { env: environment() }).then(
      () => new Error('it was not refused'),
      (failure: unknown) => failure as Error & { stderr?: string },
    );
    return ('stderr' in error && error.stderr) || error.message;
  };
  const curl = (path: string, target: string) =>
    run('curl', [
      '-sS',
      '--fail',
      '-H',
      `Authorization: Bearer ${stack.env.SEALDROP_TOKEN}`,
      '-o',
      target,
      `${stack.env.SEALDROP_API_URL}${path}`,
    ]);
  const sameBytes = (left: string, right: string) => readFileSync(left).equals(readFileSync(right));

  test.each([
    ['a small file', 1_000],
    ['a 30 MB file in parts', MULTIPART_BYTES],
  ])('s3 cp drops %s and curl fetches it decrypted', async (name, bytes) => {
    const original = join(folder, `${bytes}`);
    writeFileSync(original, randomBytes(bytes));
    await aws('s3', 'cp', original, `s3://${stack.ingestBucket}/cards/${bytes}`);
    await stack.settled();
    await curl(`/objects/cards/${bytes}`, `${original}.back`);
    expect(sameBytes(original, `${original}.back`), name).toBe(true);
  });

  test('the CLI gets the SSE-C object only with its key: 400 without, 403 with another', async () => {
    writeFileSync(join(folder, 'card'), 'four digits');
    await aws('s3', 'cp', join(folder, 'card'), `s3://${stack.ingestBucket}/cards/card`);
    await stack.settled();
    const get = ['s3api', 'get-object', '--bucket', stack.targetBucket, '--key', 'cards/card', join(folder, 'card.back')];
    const withKey = (file: string) => [...get, '--sse-customer-algorithm', 'AES256', '--sse-customer-key', `fileb://${file}`];

    const bare = await refusal(...get);
    expect(bare).toContain('(InvalidRequest)');
    expect(bare).toContain(
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    );
    expect(await refusal('s3api', 'head-object', '--bucket', stack.targetBucket, '--key', 'cards/card')).toContain('(400)');

    writeFileSync(join(folder, 'wrong.key'), randomBytes(32));
    expect(await refusal(...withKey(join(folder, 'wrong.key')))).toContain('(AccessDenied)');

    const secret = await aws(
      'secretsmanager',
      'get-secret-value',
      '--secret-id',
      stack.env.SEALDROP_CUSTOMER_KEY_SECRET ?? '',
      '--query',
      'SecretString',
      '--output',
      'text',
    );
    writeFileSync(join(folder, 'right.key'), Buffer.from(secret.trim(), 'hex'), { mode: 0o600 });
    const answer = JSON.parse(await aws(...withKey(join(folder, 'right.key')))) as { SSECustomerKeyMD5: string };
    expect(answer.SSECustomerKeyMD5).toBe(createHash('md5').update(Buffer.from(secret.trim(), 'hex')).digest('base64'));
    expect(readFileSync(join(folder, 'card.back'), 'utf8')).toBe('four digits');
  });

  test('dead letters of a disabled key move back by the CLI and complete', async () => {
    const key = stack.env.SEALDROP_KMS_KEY_ARN ?? '';
    const queueArn = async (url = '') =>
      (
        await aws(
          ...sqs(),
          'get-queue-attributes',
          '--queue-url',
          url,
          '--attribute-names',
          'QueueArn',
          '--query',
          'Attributes.QueueArn',
          '--output',
          'text',
        )
      ).trim();
    const deadLetters = stack.env.SEALDROP_DEAD_LETTER_QUEUE_URL ?? '';
    await aws('kms', 'disable-key', '--key-id', key);
    writeFileSync(join(folder, 'late'), 'late but whole');
    await aws('s3', 'cp', join(folder, 'late'), `s3://${stack.ingestBucket}/plain/late`);
    await stack.settled();
    const receive = [
      ...sqs(),
      'receive-message',
      '--queue-url',
      deadLetters,
      '--message-attribute-names',
      'All',
      '--wait-time-seconds',
      '10',
      '--visibility-timeout',
      '0',
    ];
    const { Messages } = JSON.parse(await aws(...receive)) as { Messages: { MessageAttributes: { code: { StringValue: string } } }[] };
    expect(Messages.map(({ MessageAttributes }) => MessageAttributes.code.StringValue)).toEqual(['kms-key-disabled']);

    await aws('kms', 'enable-key', '--key-id', key);
    await aws(
      ...sqs(),
      'start-message-move-task',
      '--source-arn',
      await queueArn(deadLetters),
      '--destination-arn',
      await queueArn(stack.env.SEALDROP_QUEUE_URL),
    );
    await expect.poll(async () => (await stack.get('plain/late')).status, { timeout: 20_000 }).toBe(200);
    expect(await (await stack.get('plain/late')).text()).toBe('late but whole');
  });
});
