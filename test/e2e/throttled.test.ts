import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/share.yml', { requestsPerSecond: '1', requestBurst: '3' });
});
afterAll(() => stack?.stop());

test('a method that is asked too often answers 429 as a problem, and the others go on', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => stack.api('/health', { token: null })));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get('retry-after')).toBe('1');
  expect(await refused?.json()).toMatchObject({ status: 429, code: 'throttled', instance: expect.stringMatching(/^urn:request:/) });
  expect((await stack.api('/openapi.json', { token: null })).status).toBe(200);
});

test('who tries links gets no further than their own limit, whatever the stage takes', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => stack.api(`/links/guess-${at}`, { token: null })));
  const statuses = new Set(answers.map(({ status }) => status));
  expect(statuses).toEqual(new Set([404, 429]));
  expect(answers.filter(({ status }) => status === 404).length).toBeGreaterThanOrEqual(100);
});
