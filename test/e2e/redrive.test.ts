/** `sealdrop failures` and `sealdrop redrive` against a stack that runs. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { GetQueueAttributesCommand, SendMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

interface Failures {
  ok: boolean;
  seen: number;
  doubles: number;
  failures: { code: string; count: number; causes: string[]; nextStep: string; objects: { key: string }[] }[];
}

interface Redrive {
  ok: boolean;
  seen: number;
  others: number;
  codes: { code: string; sentBack: number; encrypted: number; superseded: number; failedAgain: number; notFollowed: number }[];
  failedAgain: { key: string; before: string; code: string; cause: string; nextStep: string }[];
  underWay: { key: string }[];
}

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());
afterEach(async () => {
  if ((await letters()).visible > 0) await stack.takeDeadLetters((await letters()).visible);
});

const environment = () => ({ PATH: process.env.PATH ?? '', HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...stack.env });

/** The command as a shell starts it. */
function sealdrop(...args: string[]): Promise<Ended> {
  return run(process.execPath, ['bin/sealdrop.js', ...args], { cwd: PROJECT, env: environment() }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failure: unknown) => failure as Ended,
  );
}

async function document<T>(...args: string[]): Promise<T & { code: number }> {
  const { code, stdout, stderr } = await sealdrop(...args, '--json');
  if (stdout === '') throw new Error(`no document: ${stderr}`);
  return { ...(JSON.parse(stdout) as T), code };
}

const failures = (...args: string[]) => document<Failures>('failures', ...args);
const redrive = (...args: string[]) => document<Redrive>('redrive', ...args);
const countsByCode = ({ failures: groups }: Failures) => Object.fromEntries(groups.map(({ code, count }) => [code, count]));

async function counts(QueueUrl: string | undefined) {
  const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
  const { Attributes = {} } = await stack.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  const visible = Number(Attributes.ApproximateNumberOfMessages);
  const hidden = Number(Attributes.ApproximateNumberOfMessagesNotVisible);
  return { visible, hidden, all: visible + hidden };
}

const letters = () => counts(stack.env.SEALDROP_DEAD_LETTER_QUEUE_URL);
const arrived = (count: number) => until(`${count} dead letters`, async () => (await letters()).visible === count);

const KeyId = () => stack.env.SEALDROP_KMS_KEY_ARN;
const disableKey = () => stack.kms.send(new DisableKeyCommand({ KeyId: KeyId() }));
const enableKey = () => stack.kms.send(new EnableKeyCommand({ KeyId: KeyId() }));

/** Files that become dead letters, since the key is disabled when they come; it is enabled then. */
async function failing(keys: string[]): Promise<void> {
  await disableKey();
  await Promise.all(keys.map((key) => stack.drop(key, key)));
  await arrived(keys.length).finally(enableKey);
}

/** What is sent to the ingest queue comes only after so many seconds. */
async function delaying(seconds: number): Promise<void> {
  const QueueUrl = stack.env.SEALDROP_QUEUE_URL;
  await stack.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: String(seconds) } }));
}

/** A text among the dead letters that SQS itself could have moved there. */
async function bury(body: string): Promise<void> {
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.env.SEALDROP_DEAD_LETTER_QUEUE_URL, MessageBody: body }));
}

describe('failures', () => {
  test('finds none where all is well', async () => {
    expect(await failures()).toMatchObject({ code: 0, ok: true, seen: 0, failures: [] });
    expect(await sealdrop('failures', '--queue', 'target-events')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No dead letters.'),
    });
  });

  test('lists them by cause with what is to be done, collapses doubles, and consumes none', async () => {
    await failing(['default/one.txt', 'default/two.txt']);
    await stack.drop('lost/a.txt', 'x');
    await arrived(3);
    const [double] = await stack.takeDeadLetters(3);
    for (const [index, key] of ['default/one.txt', 'default/two.txt'].entries()) await sendLetter('kms-key-disabled', key, `0${index}AA`);
    await sendLetter('kms-key-not-found', 'lost/a.txt', '0BAA');
    await sendLetter('kms-key-disabled', 'default/one.txt', '00AA');
    await bury(double?.Body ?? '');

    const found = await failures();
    expect(found).toMatchObject({ code: 1, ok: false, seen: 5, doubles: 1 });
    expect(countsByCode(found)).toEqual({ 'kms-key-disabled': 2, 'kms-key-not-found': 1, unknown: 1 });
    expect(found.failures.find(({ code }) => code === 'unknown')?.causes).toEqual(['the function died over it; see its logs']);
    expect(found.failures[0]?.objects.map(({ key }) => key).sort()).toEqual(['default/one.txt', 'default/two.txt']);
    expect(await letters()).toEqual({ visible: 5, hidden: 0, all: 5 });

    const { stdout } = await sealdrop('failures');
    expect(stdout).toMatch(/kms-key-disabled {2}2/);
    expect(stdout).toContain('→ Enable the KMS key');
  });

  test.each([
    ['another stage', ['--stage', 'prod'], 'no stack sealdrop-prod'],
    ['another queue', ['--queue', 'other'], '--queue other'],
  ])('of %s cannot be looked at', async (_, args, said) => {
    const { code, stderr } = await sealdrop('failures', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });
});

describe('redrive', () => {
  test('sends back what a disabled key stopped, follows it to the end, and leaves the rest', async () => {
    await failing(['default/a.txt', 'default/b ü+%.txt', 'dsse/c.txt']);
    await stack.drop('lost/z.txt', 'x');
    await arrived(4);

    expect(await redrive('--code', 'kms-key-disabled', '--dry-run')).toMatchObject({
      code: 0,
      codes: [{ code: 'kms-key-disabled', sentBack: 3, encrypted: 0 }],
      others: 1,
    });
    expect(await letters()).toEqual({ visible: 4, hidden: 0, all: 4 });

    expect(await redrive('--code', 'kms-key-disabled', '--key', 'default/')).toMatchObject({
      code: 0,
      ok: true,
      codes: [{ code: 'kms-key-disabled', sentBack: 2, encrypted: 2 }],
      others: 2,
    });
    expect(await (await stack.get('default/b ü+%.txt')).text()).toBe('default/b ü+%.txt');

    const { code, stdout, stderr } = await sealdrop('redrive', '--code', 'kms-key-disabled');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('1 sent back') });
    expect(stdout).toMatch(/kms-key-disabled +1 +1/);
    expect(await (await stack.get('dsse/c.txt')).text()).toBe('dsse/c.txt');
    expect(countsByCode(await failures())).toEqual({ 'kms-key-not-found': 1 });
  });

  test('drops what a newer state took the place of, and what is encrypted already', async () => {
    await failing(['default/over.txt', 'default/twice.txt']);
    await stack.drop('default/over.txt', 'newer');
    await stack.settled();
    const [one, two] = await stack.takeDeadLetters(2);
    for (const letter of [one, two]) await bury(letter?.Body ?? '');
    await bury(two?.Body ?? '');
    await stack.enqueue([one, two].find((letter) => letter?.Body?.includes('twice'))?.Body ?? '');
    await stack.settled();

    expect(await redrive()).toMatchObject({ code: 0, codes: [{ code: 'unknown', sentBack: 0, superseded: 2 }] });
    expect(await letters()).toEqual({ visible: 0, hidden: 0, all: 0 });
    expect(await (await stack.get('default/over.txt')).text()).toBe('newer');
  });

  test('tells what fails again, by its new cause, and leaves it among the dead letters', async () => {
    await failing(['default/again.txt']);
    await stack.drop('lost/again.txt', 'x');
    await arrived(2);
    await disableKey();
    const found = await redrive().finally(enableKey);
    expect(found).toMatchObject({ code: 1, ok: false, underWay: [] });
    expect(found.failedAgain.map(({ key, before, code }) => ({ key, before, code })).sort((a, b) => a.key.localeCompare(b.key))).toEqual([
      { key: 'default/again.txt', before: 'kms-key-disabled', code: 'kms-key-disabled' },
      { key: 'lost/again.txt', before: 'kms-key-not-found', code: 'kms-key-not-found' },
    ]);
    expect(await letters()).toEqual({ visible: 2, hidden: 0, all: 2 });
  });

  test('sends what holds no object only if it is asked for by name', async () => {
    await stack.enqueue('no event');
    await arrived(1);
    expect(await redrive()).toMatchObject({ code: 0, codes: [], others: 1 });
    expect(await redrive('--code', 'malformed-event')).toMatchObject({ code: 0, codes: [{ sentBack: 1, notFollowed: 1 }] });
    await arrived(1);
    expect(countsByCode(await failures())).toEqual({ 'malformed-event': 1 });
  });

  test('says after its time what is still under way', async () => {
    await failing(['default/slow.txt']);
    await delaying(5);
    const found = await redrive('--timeout', '1').finally(() => delaying(0));
    expect(found).toMatchObject({ code: 1, ok: false, underWay: [{ key: 'default/slow.txt' }], failedAgain: [] });
    await stack.settled();
    expect(await (await stack.get('default/slow.txt')).text()).toBe('default/slow.txt');
  });
});

describe('a redrive that is ended in the middle', { timeout: 90_000 }, () => {
  const KEYS = Array.from({ length: 40 }, (_, index) => `default/many/${index}.txt`);

  /** Ends it once that holds. */
  async function ended(signal: NodeJS.Signals, what: string, holds: () => Promise<boolean>): Promise<number | null> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/sealdrop.ts', 'redrive'], {
      cwd: PROJECT,
      env: environment(),
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await until(what, holds).finally(() => child.kill(signal));
    return (await exit)[0] as number | null;
  }

  const hasSome = async () => (await letters()).hidden > 0;
  const sentSome = async () => (await letters()).all < KEYS.length;

  async function allEncrypted(): Promise<void> {
    await stack.settled();
    expect(await Promise.all(KEYS.map(async (key) => (await stack.get(key)).text()))).toEqual(KEYS);
    expect(await letters()).toEqual({ visible: 0, hidden: 0, all: 0 });
  }

  test('by a signal gives everything back at once, and what it sent goes on', async () => {
    await failing(KEYS);
    expect(await ended('SIGINT', 'its first messages', hasSome)).toBe(130);
    expect((await letters()).hidden).toBe(0);
    expect(await redrive()).toMatchObject({ code: 0 });
    await allEncrypted();
  });

  test.each([
    ['it has messages', hasSome],
    ['it has sent some', sentSome],
  ])('by force when %s loses nothing: what it had comes back', async (what, holds) => {
    await failing(KEYS);
    expect(await ended('SIGKILL', what, holds)).toBeNull();
    if (holds === hasSome) expect((await letters()).hidden).toBeGreaterThan(0);
    // The sandbox brings back at once what a time would bring back.
    await stack.restart();
    await stack.settled();
    expect(await redrive()).toMatchObject({ code: 0 });
    await allEncrypted();
  });
});

function sendLetter(code: string, key: string, sequencer: string): Promise<void> {
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventTime: '2026-01-01T00:00:00.000Z',
    s3: { bucket: { name: stack.ingestBucket }, object: { key, size: 1, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer } },
  };
  return sendBody(code, JSON.stringify({ Records: [record] }));
}

/** As encrypt sends them. */
async function sendBody(code: string, MessageBody: string): Promise<void> {
  const MessageAttributes = {
    code: { DataType: 'String', StringValue: code },
    cause: { DataType: 'String', StringValue: `cause: ${code}` },
  };
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.env.SEALDROP_DEAD_LETTER_QUEUE_URL, MessageBody, MessageAttributes }));
}
