/** `sealdrop doctor` against a stack that runs: well where it is well, and each broken thing by its name. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { DeleteSecretCommand, RestoreSecretCommand } from '@aws-sdk/client-secrets-manager';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

interface Report {
  ok: boolean;
  error?: string;
  areas: { area: string; ok: boolean }[];
  roundTrips: { encryption: string; ms: number | null; downloaded: boolean }[];
  skipped: string[];
  findings: { id: string; severity: string; command?: string }[];
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Nothing of whoever runs the tests. */
function environment(env: Record<string, string>): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...env };
}

/** The command as a shell starts it, by the Node.js of the test. */
async function doctor(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  return run(process.execPath, ['bin/sealdrop.js', 'doctor', ...args], {
    cwd: PROJECT,
    env: environment(env),
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failure: unknown) => failure as Ended,
  );
}

async function report(env: Record<string, string>, ...args: string[]): Promise<Report & { code: number }> {
  const { code, stdout, stderr } = await doctor(env, '--json', ...args);
  if (stdout === '') throw new Error(`no document: ${stderr}`);
  return { ...(JSON.parse(stdout) as Report), code };
}

const idsOf = ({ findings }: Report) => findings.map(({ id }) => id).sort();

describe('a stack of the shipped policy', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalStack('policy.yml');
  });
  afterAll(() => stack.stop());

  const settings = (...args: string[]) => report(stack.env, '--no-round-trip', ...args);

  test('is well: every encryption was tried and came back, and nothing of it is left', async () => {
    const found = await report(stack.env);
    expect(found).toMatchObject({ code: 0, ok: true, findings: [], skipped: [] });
    expect(found.roundTrips.map(({ encryption, downloaded }) => [encryption.split(' ')[0], downloaded])).toEqual([
      ['sse-c', true],
      ['dsse-kms', true],
      ['sse-s3', true],
      ['sse-kms', true],
    ]);
    for (const Bucket of [stack.ingestBucket, stack.targetBucket]) {
      const { Versions = [], DeleteMarkers = [] } = await stack.s3.send(new ListObjectVersionsCommand({ Bucket }));
      expect([...Versions, ...DeleteMarkers]).toEqual([]);
    }
  });

  test('is said to be well in a few lines, without secrets', async () => {
    const { code, stdout, stderr } = await doctor(stack.env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^Well: 4 of 4 encryptions were tried with a real object.*byte for byte\.$/);
    const secrets = [stack.env.SEALDROP_TOKEN, stack.env.AWS_SECRET_ACCESS_KEY];
    for (const secret of secrets) expect(stdout).not.toContain(secret);
  });

  test('is looked at without writing anything, and without claiming a proof', async () => {
    expect(await settings()).toMatchObject({ code: 0, ok: true, roundTrips: [], skipped: [expect.stringContaining('--no-round-trip')] });
  });

  test('says that the way back was not tried without a token', async () => {
    const { SEALDROP_TOKEN: _, ...env } = stack.env;
    expect(await report(env)).toMatchObject({ code: 0, skipped: [expect.stringContaining('SEALDROP_TOKEN')] });
  });

  test.each<[title: string, env: Record<string, string>, args: string[], said: string]>([
    ['of another stage is none', {}, ['--stage', 'prod'], 'no stack sealdrop-prod'],
    ['named by the environment is looked for by that name', { SEALDROP_STACK: 'sealdrop-test' }, [], 'no stack sealdrop-test'],
    ['is not shown to whoever does not know the secret key', { AWS_SECRET_ACCESS_KEY: 'wrong' }, [], 'no credentials'],
  ])('%s', async (_, env, args, said) => {
    const { code, stderr } = await doctor({ ...stack.env, ...env }, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  test('under another policy than the file says: nothing of what it needs is there', async () => {
    const path = join(stack.dataDir, 'other.yml');
    const key = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000';
    writeFileSync(path, `version: 1\ndefault:\n  encryption: { mode: sse-kms, key: '${key}' }\n`);
    const found = await settings('--policy', path);
    expect(found.code).toBe(1);
    expect(idsOf(found)).toEqual([
      'key.missing',
      'policy.not-deployed',
      'role.lacks-right',
      'role.lacks-right',
      'role.lacks-right',
      'target-bucket.policy-incomplete',
    ]);
  });

  /** What is said of a stack with one thing broken, which is mended whatever is said. */
  async function broken(breakIt: () => Promise<unknown>, mend: () => Promise<unknown>, ...args: string[]): Promise<string[]> {
    await breakIt();
    const found = await report(stack.env, ...args).finally(mend);
    expect(found.code).toBe(1);
    return idsOf(found);
  }

  test('with a disabled key: by its settings, and by what it does to objects', async () => {
    const KeyId = stack.env.SEALDROP_KMS_KEY_ARN;
    const found = await broken(
      () => stack.kms.send(new DisableKeyCommand({ KeyId })),
      () => stack.kms.send(new EnableKeyCommand({ KeyId })),
    );
    expect(found).toEqual(['key.disabled', 'round-trip.failed']);
    // The letters of its own probes are taken away again.
    expect(await settings()).toMatchObject({ code: 0 });
  });

  test('with the secret deleted', async () => {
    const SecretId = stack.env.SEALDROP_CUSTOMER_KEY_SECRET;
    const found = await broken(
      () => stack.secrets.send(new DeleteSecretCommand({ SecretId })),
      () => stack.secrets.send(new RestoreSecretCommand({ SecretId })),
      '--no-round-trip',
    );
    expect(found).toEqual(['secret.deleted']);
  });

  test('that blocks SSE-C', async () => {
    const Bucket = stack.targetBucket;
    const { ServerSideEncryptionConfiguration: before } = await stack.s3.send(new GetBucketEncryptionCommand({ Bucket }));
    const blocked = { BlockedEncryptionTypes: { EncryptionType: ['SSE-C' as const] } };
    const Rules = (before?.Rules ?? []).map((rule) => ({ ...rule, ...blocked }));
    const found = await broken(
      () => stack.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } })),
      () => stack.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: before })),
      '--no-round-trip',
    );
    expect(found).toEqual(['target-bucket.sse-c-blocked']);
  });

  test('whose ingest bucket tells nobody: by its settings, and by what becomes of objects', async () => {
    expect(await deaf((breakIt, mend) => broken(breakIt, mend, '--timeout', '8'))).toEqual([
      'ingest-bucket.not-notified',
      'round-trip.lost',
    ]);
  });

  test('that is looked at by somebody who loses patience: what was dropped is removed', async () => {
    const Bucket = stack.ingestBucket;
    const dropped = async () => (await stack.s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions?.length ?? 0;
    const code = await deaf(async (breakIt, mend) => {
      await breakIt();
      const child = spawn(process.execPath, ['bin/sealdrop.js', 'doctor'], { cwd: PROJECT, env: environment(stack.env), stdio: 'ignore' });
      const ended = once(child, 'exit');
      await until('the probes', async () => (await dropped()) > 0).finally(() => child.kill('SIGTERM'));
      return (await ended.finally(mend))[0];
    });
    expect(code).toBe(143);
    expect(await dropped()).toBe(0);
  });

  /** With an ingest bucket that tells nobody. */
  async function deaf<T>(look: (breakIt: () => Promise<unknown>, mend: () => Promise<unknown>) => Promise<T>): Promise<T> {
    const Bucket = stack.ingestBucket;
    const { $metadata: _, ...before } = await stack.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    return look(
      () => stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })),
      () => stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: before })),
    );
  }

  test('whose target bucket lost its policy: by its statements, and by what it lets through', async () => {
    const Bucket = stack.targetBucket;
    const { Policy } = await stack.s3.send(new GetBucketPolicyCommand({ Bucket }));
    const harmless = { Sid: 'Harmless', Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: `arn:aws:s3:::${Bucket}` };
    const other = JSON.stringify({ Version: '2012-10-17', Statement: [harmless] });
    const found = await broken(
      () => stack.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: other })),
      () => stack.s3.send(new PutBucketPolicyCommand({ Bucket, Policy })),
    );
    expect(found).toEqual(['target-bucket.policy-incomplete', 'target-policy.plain-write-accepted']);
  });

  test('with suspended versions and public access open', async () => {
    const Bucket = stack.targetBucket;
    const versioning = (Status: 'Enabled' | 'Suspended') =>
      stack.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    const PublicAccessBlockConfiguration = {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    };
    const found = await broken(
      async () => [await versioning('Suspended'), await stack.s3.send(new DeletePublicAccessBlockCommand({ Bucket }))],
      async () => [
        await versioning('Enabled'),
        await stack.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration })),
      ],
      '--no-round-trip',
    );
    expect(found).toEqual(['target-bucket.not-versioned', 'target-bucket.public-access-not-blocked']);
  });

  test('with a queue that loses what fails', async () => {
    const QueueUrl = stack.env.SEALDROP_TARGET_EVENTS_QUEUE_URL;
    const { Attributes: { RedrivePolicy } = {} } = await stack.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }),
    );
    const found = await broken(
      () => stack.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy: '' } })),
      () => stack.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy: RedrivePolicy ?? '' } })),
      '--no-round-trip',
    );
    expect(found).toEqual(['target-events-queue.no-dead-letters']);
  });

  test('with messages among the dead letters, a warning', async () => {
    const QueueUrl = stack.env.SEALDROP_DEAD_LETTER_QUEUE_URL;
    const MessageAttributes = { code: { DataType: 'String', StringValue: 'too-large' } };
    await stack.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}', MessageAttributes }));
    const found = await settings();
    const { Messages = [] } = await stack.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    for (const { ReceiptHandle } of Messages) await stack.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    expect(found).toMatchObject({
      code: 1,
      findings: [{ id: 'ingest-dead-letters.waiting', severity: 'warning', evidence: { count: 1, codes: ['too-large'] } }],
    });
  });
});

describe('what cannot be looked at', () => {
  const nowhere = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
  };

  test.each<[title: string, env: Record<string, string>, args: string[], said: string]>([
    ['an endpoint where nobody listens', nowhere, [], 'no connection'],
    ['without credentials', { AWS_REGION: 'us-east-1' }, [], 'no credentials'],
    ['without a Region', { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }, [], '--region'],
    ['a policy that is not there', nowhere, ['--policy', 'nowhere.yml'], '--policy'],
    ['by a wrong word', nowhere, ['--fast'], '--fast'],
  ])('%s ends with 2 and says why', async (_, env, args, said) => {
    const { code, stderr } = await doctor(env, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  test('is a document too, for scripts', async () => {
    expect(await report(nowhere)).toMatchObject({ code: 2, ok: false, error: expect.stringContaining('no connection'), findings: [] });
  });
});

describe('sealdrop', () => {
  const sealdrop = (...args: string[]) =>
    run(process.execPath, ['bin/sealdrop.js', ...args], { cwd: PROJECT }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (failure: unknown) => failure as Ended,
    );

  test.each([[[]], [['--help']]])('%j lists the commands', async (args) => {
    expect(await sealdrop(...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ {2}doctor {2}/m) });
  });

  test('refuses an unknown word with its usage', async () => {
    expect(await sealdrop('docter')).toMatchObject({ code: 2, stderr: expect.stringMatching(/"docter"[\s\S]*doctor/) });
  });

  test('says what a command takes', async () => {
    expect(await sealdrop('doctor', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--no-round-trip') });
  });
});

const hasAwsCli = () => {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe.runIf(hasAwsCli())('buckets that were brought', () => {
  const INGEST = 'brought-ingest';
  const TARGET = 'brought-target';
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalStack('policy.yml', { ingestBucket: INGEST, targetBucket: TARGET });
    for (const Bucket of [INGEST, TARGET]) await stack.s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(() => stack.stop());

  test('are well once the commands of the findings were pasted', async () => {
    const found = await report(stack.env, '--no-round-trip');
    expect(found.code).toBe(1);
    expect(idsOf(found)).toEqual(
      expect.arrayContaining([
        'ingest-bucket.not-notified',
        'target-bucket.not-notified',
        'target-bucket.policy-incomplete',
        'target-bucket.sse-c-blocked',
      ]),
    );
    for (const { id, command } of found.findings) {
      expect(command, id).toBeDefined();
      await run('sh', ['-c', command ?? ''], { env: { PATH: process.env.PATH ?? '', HOME: stack.dataDir, AWS_PAGER: '', ...stack.env } });
    }
    expect(await report(stack.env)).toMatchObject({ code: 0, ok: true, findings: [] });
    // The AWS CLI takes a second for each command.
  }, 120_000);
});
