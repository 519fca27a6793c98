import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { askSandbox } from './ask-sandbox.ts';
import { openStage, type Stage } from './workbench.ts';

const PLAN = {
  seed: 9,
  rules: [{ id: 'busy', service: 's3', operation: 'PutObject', caller: '*', fault: { kind: 'error', status: 503, code: 'SlowDown' } }],
};

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterEach(() => stage.faults.clear());
afterAll(() => stage[Symbol.asyncDispose]());

const ask = (options: Parameters<typeof askSandbox>[2]) => askSandbox(stage.sandbox.endpoint, stage.sandbox.credentials, options);
const put = () => stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'key', Body: 'x' }));

test('PUT sets a plan, GET tells what it did, DELETE ends it and its report stays', async () => {
  expect((await ask({ method: 'PUT', body: JSON.stringify(PLAN) })).status).toBe(200);
  await expect(put()).rejects.toMatchObject({ name: 'SlowDown' });
  const counted = { id: 'busy', matched: 1, fired: 1, operations: { 's3:PutObject': { matched: 1, fired: 1 } } };
  expect(await (await ask({})).json()).toMatchObject({ active: true, seed: 9, rules: [counted] });
  const text = await (await ask({ accept: '*/*' })).text();
  expect(text).toContain('seed 9\n');
  expect(text).toMatch(/s3:PutObject +1 +1\n/);
  expect((await ask({ method: 'DELETE' })).status).toBe(200);
  await put();
  expect(await (await ask({})).json()).toMatchObject({ active: false, rules: [counted] });
});

test.each([
  ['{', 'SerializationException', 'not valid JSON'],
  ['[]', 'ValidationException', 'the plan: '],
  ['{"rules":[{"fault":{"kind":"flood"}}]}', 'ValidationException', 'rules.0.fault.kind'],
  ['{"rules":[],"seeds":1}', 'ValidationException', 'seeds'],
  ['{"rules":[{"fault":{"kind":"kill","when":"before"},"probability":"0.5"}]}', 'ValidationException', 'rules.0.probability'],
])('the plan %s is refused by name, and the one before stays', async (body, code, problem) => {
  stage.faults.set({ rules: [{ id: 'before', caller: '*', service: 'kms', fault: { kind: 'error', status: 500, code: 'X' } }] });
  const reply = await ask({ method: 'PUT', body });
  expect([reply.status, reply.headers.get('x-amzn-errortype')]).toEqual([400, code]);
  expect(Object(await reply.json()).message).toContain(problem);
  expect(stage.faults.active()).toBe(true);
  expect(stage.faults.report().rules[0]?.id).toBe('before');
});

test('nobody but the administrator sees or sets a plan', async () => {
  const { endpoint, credentials } = stage.sandbox;
  const change = { method: 'PUT', body: JSON.stringify(PLAN) };
  expect((await askSandbox(endpoint, null, change)).status).toBe(404);
  expect((await askSandbox(endpoint, stage.sandbox.functionCredentials('app-work'), change)).status).toBe(403);
  expect((await askSandbox(endpoint, stage.sandbox.functionCredentials('app-work'))).status).toBe(403);
  expect((await askSandbox(endpoint, { ...credentials, secretAccessKey: 'guessed' }, change)).status).toBe(403);
  expect(stage.faults.active()).toBe(false);
});

test('other methods and other paths are refused', async () => {
  expect((await ask({ method: 'POST', body: '{}' })).status).toBe(405);
  expect((await ask({ path: '/_sandbox/fault' })).status).toBe(404);
});

test('a plan cannot shut its own door', async () => {
  stage.faults.set({ rules: [{ caller: '*', fault: { kind: 'error', status: 500, code: 'InternalError' } }] });
  await expect(put()).rejects.toMatchObject({ name: 'InternalError' });
  expect((await ask({ method: 'DELETE' })).status).toBe(200);
  await put();
});

test('a plan that startSandbox takes holds from the start, and a wrong one is refused', async () => {
  const started = await openStage({
    faults: { rules: [{ caller: '*', service: 's3', fault: { kind: 'error', status: 500, code: 'InternalError' } }] },
  });
  await expect(started.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'key', Body: 'x' }))).rejects.toMatchObject({
    name: 'InternalError',
  });
  await started[Symbol.asyncDispose]();
  await expect(openStage({ faults: { rules: [{ fault: { kind: 'slow' } }] } })).rejects.toThrow('The fault plan cannot be used.');
});
