/** `serverless invoke local -p events/…`, against a stack that runs in the sandbox. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack('policy.yml');
});
afterAll(() => stack.stop());

async function invoke(name: string, event: string, environment: Record<string, string> = stack.env): Promise<string> {
  const node = join(PROJECT, 'node_modules/.bin/node');
  const serverless = join(PROJECT, 'node_modules/serverless/bin/serverless.js');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: stack.dataDir,
    SLS_TRACKING_DISABLED: '1',
    SLS_NOTIFICATIONS_MODE: 'off',
    ...environment,
  };
  const done = await promisify(execFile)(node, [serverless, 'invoke', 'local', '-f', name, '-p', `events/${event}.json`], {
    cwd: PROJECT,
    env,
  }).catch((error: unknown) => error as { stdout: string; stderr: string });
  return `${done.stdout}${done.stderr}`;
}

test('encrypt takes an event of the queue and names what is wrong with it', async () => {
  const printed = await invoke('encrypt', 'sqs-s3-put');
  expect(printed).toContain('"code":"source-gone"');
  expect(printed).toContain('"batchItemFailures": []');
});

test('audit records what the event tells', async () => {
  expect(await invoke('audit', 'target-delete-marker')).toContain('"message":"ObjectDeleted"');
});

test('download gives a whole answer, though it streams on Lambda', async () => {
  const { pathParameters } = JSON.parse(readFileSync(join(PROJECT, 'events/download-path.json'), 'utf8')) as {
    pathParameters: { key: string };
  };
  await stack.drop(decodeURIComponent(pathParameters.key), 'what was dropped');
  await stack.settled();
  const printed = await invoke('download', 'download-path');
  expect(printed).toContain('"statusCode": 200');
  expect(printed).toContain(Buffer.from('what was dropped').toString('base64'));
});

test('without a stack in the environment it says where that comes from', async () => {
  expect(await invoke('encrypt', 'sqs-s3-put', {})).toContain('SEALDROP_TARGET_BUCKET');
  expect(await invoke('encrypt', 'sqs-s3-put', {})).toContain('source .sandbox/env');
});
