/** What goes wrong has a name, loses nothing, and completes once its cause is gone. */
import { CancelKeyDeletionCommand, DisableKeyCommand, EnableKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  PutBucketEncryptionCommand,
  type PutBucketEncryptionCommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { DeleteSecretCommand, GetSecretValueCommand, PutSecretValueCommand, RestoreSecretCommand } from '@aws-sdk/client-secrets-manager';
import { type Message, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());

const cause = ({ MessageAttributes = {} }: Message) =>
  Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));
const codes = async (count: number) => (await stack.takeDeadLetters(count)).map((message) => cause(message).code);
const problemCode = async (answer: Response) => ({ status: answer.status, ...((await answer.json()) as { code: string }) });

describe('a disabled KMS key', () => {
  const KeyId = () => stack.env.SEALDROP_KMS_KEY_ARN;

  test('fails downloads by name, dead-letters new files by cause, and both complete once it is enabled', async () => {
    await stack.drop('default/before.txt', 'before');
    await stack.settled();
    await stack.kms.send(new DisableKeyCommand({ KeyId: KeyId() }));

    expect(await problemCode(await stack.get('default/before.txt'))).toMatchObject({ status: 503, code: 'kms-key-disabled' });
    expect((await stack.get('default/before.txt', { method: 'HEAD' })).status).toBe(503);
    expect((await stack.history('default/before.txt')).at(-1)).toMatchObject({ action: 'ObjectInspected', code: 'kms-key-disabled' });
    await stack.drop('default/while.txt', 'while');
    const [letter] = await stack.takeDeadLetters(1);
    expect(cause(letter ?? {})).toMatchObject({
      code: 'kms-key-disabled',
      key: 'default/while.txt',
      nextStep: expect.stringContaining('Enable the KMS key'),
    });
    expect(await stack.history('default/while.txt')).toMatchObject([{ action: 'EncryptionFailed', code: 'kms-key-disabled' }]);

    await stack.kms.send(new EnableKeyCommand({ KeyId: KeyId() }));
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.env.SEALDROP_QUEUE_URL, MessageBody: letter?.Body }));
    await stack.settled();
    expect(await (await stack.get('default/while.txt')).text()).toBe('while');
    expect(await (await stack.get('default/before.txt')).text()).toBe('before');
  });

  test('pending deletion is told apart from disabled', async () => {
    await stack.kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyId(), PendingWindowInDays: 30 }));
    await stack.drop('default/doomed.txt', 'x');
    expect(await codes(1)).toEqual(['kms-key-pending-deletion']);
    await stack.kms.send(new CancelKeyDeletionCommand({ KeyId: KeyId() }));
    await stack.kms.send(new EnableKeyCommand({ KeyId: KeyId() }));
  });
});

test('a policy that names a missing key dead-letters by name', async () => {
  await stack.drop('lost/a.txt', 'x');
  expect(await codes(1)).toEqual(['kms-key-not-found']);
});

describe('the customer key', () => {
  const SecretId = () => stack.env.SEALDROP_CUSTOMER_KEY_SECRET;
  /** The function caches the current version for minutes: a fresh process asks again. */
  const freshFunctions = () => stack.restart();

  test('in a deleted secret is missing by name, and comes back with it', async () => {
    await stack.secrets.send(new DeleteSecretCommand({ SecretId: SecretId() }));
    await freshFunctions();
    await stack.drop('customer/deleted.txt', 'x');
    const [letter] = await stack.takeDeadLetters(1);
    expect(cause(letter ?? {})).toMatchObject({ code: 'customer-key-missing' });
    await stack.secrets.send(new RestoreSecretCommand({ SecretId: SecretId() }));
    await stack.enqueue(letter?.Body ?? '');
    await stack.settled();
    expect(await (await stack.get('customer/deleted.txt')).text()).toBe('x');
  });

  test('of the wrong length is refused by name, without showing it', async () => {
    const { SecretString } = await stack.secrets.send(new GetSecretValueCommand({ SecretId: SecretId() }));
    await stack.secrets.send(new PutSecretValueCommand({ SecretId: SecretId(), SecretString: 'short-secret-canary' }));
    await freshFunctions();
    await stack.drop('customer/short.txt', 'x');
    const [letter] = await stack.takeDeadLetters(1);
    expect(cause(letter ?? {})).toMatchObject({ code: 'customer-key-invalid' });
    expect(JSON.stringify(letter)).not.toContain('short-secret-canary');
    await stack.secrets.send(new PutSecretValueCommand({ SecretId: SecretId(), SecretString }));
    await freshFunctions();
  });

  test('of an older version still opens what it encrypted, after a new one came', async () => {
    await stack.drop('customer/old.txt', 'old');
    await stack.settled();
    await stack.secrets.send(new PutSecretValueCommand({ SecretId: SecretId(), SecretString: 'ab'.repeat(32) }));
    await freshFunctions();
    await stack.drop('customer/new.txt', 'new');
    await stack.settled();
    expect(await (await stack.get('customer/old.txt')).text()).toBe('old');
    expect(await (await stack.get('customer/new.txt')).text()).toBe('new');
    const versions = await Promise.all(['old', 'new'].map(async (name) => (await stack.history(`customer/${name}.txt`))[0]?.encryption));
    expect(versions[0]).not.toEqual(versions[1]);
  });
});

test('a target bucket that blocks SSE-C says so by name', async () => {
  const Bucket = stack.targetBucket;
  const { ServerSideEncryptionConfiguration: before } = await stack.s3.send(new GetBucketEncryptionCommand({ Bucket }));
  const put = (blocked: 'SSE-C' | 'NONE') => {
    const Rules = (before?.Rules ?? []).map((rule) => ({ ...rule, BlockedEncryptionTypes: { EncryptionType: [blocked] } }));
    const input = { Bucket, ServerSideEncryptionConfiguration: { Rules } } satisfies PutBucketEncryptionCommandInput;
    return stack.s3.send(new PutBucketEncryptionCommand(input));
  };
  await put('SSE-C');
  await stack.drop('customer/blocked.txt', 'x');
  expect(await codes(1)).toEqual(['sse-c-blocked']);
  await put('NONE');
});

describe('the source', () => {
  const event = (object: Record<string, unknown>, bucket = stack.ingestBucket) =>
    JSON.stringify({
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          eventName: 'ObjectCreated:Put',
          eventTime: '2026-01-01T00:00:00.000Z',
          s3: { bucket: { name: bucket }, object: { size: 1, sequencer: '00AA', ...object } },
        },
      ],
    });

  test('deleted before its copy is gone by name', async () => {
    const { versionId } = await stack.drop('default/fleeting.txt', 'x');
    await stack.settled();
    await stack.s3.send(new DeleteObjectCommand({ Bucket: stack.ingestBucket, Key: 'default/fleeting.txt', VersionId: versionId }));
    await stack.enqueue(event({ key: 'default/fleeting.txt', eTag: 'd41d8cd98f00b204e9800998ecf8427e', versionId }));
    expect(await codes(1)).toEqual(['source-gone']);
  });

  test('in another bucket than the ingest bucket is unreadable by name, whatever an event says', async () => {
    const Bucket = 'not-the-ingest-bucket';
    await stack.s3.send(new CreateBucketCommand({ Bucket }));
    const { ETag: eTag } = await stack.s3.send(new PutObjectCommand({ Bucket, Key: 'default/other.txt', Body: 'x' }));
    await stack.enqueue(event({ key: 'default/other.txt', eTag }, Bucket));
    const [letter] = await stack.takeDeadLetters(1);
    expect(cause(letter ?? {})).toMatchObject({ code: 'source-unreadable', cause: expect.stringContaining('s3:GetObject') });
  });

  test('is too large by name above 48.8 TiB, which is more than S3 stores, and not before', async () => {
    const largest = 10_000 * 5 * 1024 ** 3;
    for (const size of [largest, largest + 1]) {
      await stack.enqueue(event({ key: 'default/huge.bin', eTag: 'd41d8cd98f00b204e9800998ecf8427e', size, sequencer: size.toString(16) }));
      expect(await codes(1)).toEqual([size > largest ? 'too-large' : 'source-gone']);
    }
  });

  test('in a bucket that does not exist is gone by name', async () => {
    await stack.enqueue(event({ key: 'a.txt', eTag: 'd41d8cd98f00b204e9800998ecf8427e' }, 'no-such-bucket-anywhere'));
    expect(await codes(1)).toEqual(['source-gone']);
  });
});

test.each([
  ['no JSON', 'not json'],
  ['JSON of something else', '{"hello":"world"}'],
  ['no records', '{"Records":[]}'],
  ['another version', '{"Records":[{"eventVersion":"3.0","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]}'],
])('an event with %s is dead-lettered as malformed, as it came', async (_, body) => {
  await stack.enqueue(body);
  const [letter] = await stack.takeDeadLetters(1);
  expect(cause(letter ?? {}).code).toBe('malformed-event');
  expect(letter?.Body).toBe(body);
});

test("S3's test event does nothing and leaves nothing behind", async () => {
  await stack.enqueue(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: stack.ingestBucket }));
  await stack.settled();
  await expect(stack.api('/objects?prefix=s3:TestEvent').then((answer) => answer.json())).resolves.toMatchObject({ objects: [] });
});

describe('a rule that looks at the object', () => {
  test('by content type sends PDFs one way and the rest another', async () => {
    await stack.drop('typed/a.pdf', 'x', { ContentType: 'Application/PDF; version=1.7' });
    await stack.drop('typed/a.txt', 'x', { ContentType: 'text/plain' });
    await stack.settled();
    const modes = await Promise.all(
      ['pdf', 'txt'].map(async (end) => (await stack.get(`typed/a.${end}`)).headers.get('x-sealdrop-encryption')),
    );
    expect(modes).toEqual(['dsse-kms', 'sse-kms']);
  });

  test('by tag sends secrets one way and the rest another', async () => {
    await stack.drop('tagged/a', 'x', { Tagging: 'class=secret' });
    await stack.drop('tagged/b', 'x', { Tagging: 'class=open' });
    await stack.settled();
    const modes = await Promise.all(
      ['a', 'b'].map(async (name) => (await stack.get(`tagged/${name}`)).headers.get('x-sealdrop-encryption')),
    );
    expect(modes).toEqual(['sse-c', 'sse-kms']);
  });
});
