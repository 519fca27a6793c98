/** Odd keys all the way: dropped by an ordinary client, encrypted, and fetched through the API. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';
import { possibleKeys } from './arbitraries.ts';

/** Printed where a test fails: the same number makes the same keys. */
const SEED = Date.now();

/** One mode each. */
const PREFIXES = ['s3/', 'bucket-key/', 'dsse/', 'customer/', ''];

/** Nothing is dropped under them, though S3 takes some as keys. */
const NOT_DROPPED = ['..', '../x', 'a/../../b', 'k'.repeat(1025), 'no such key', '%', '\u0000'];

const keys = [
  ...new Set(
    fc
      .sample(possibleKeys, { seed: SEED, numRuns: 30 })
      .map((key, at) => `${PREFIXES[at % PREFIXES.length] ?? ''}${key}`)
      .filter((key) => Buffer.byteLength(key) <= 1024 && !NOT_DROPPED.includes(key)),
  ),
];

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());

const body = (key: string) => `the bytes of ${JSON.stringify(key)}`;

test(`thirty keys of seed ${SEED} come back with the bytes that were dropped under them`, async () => {
  for (const key of keys) await stack.drop(key, body(key));
  await stack.settled();
  for (const key of keys) {
    const answer = await stack.get(key);
    expect([answer.status, await answer.text()], JSON.stringify(key)).toEqual([200, body(key)]);
    const [last] = (await stack.history(key)).slice(0, 1);
    expect(last, JSON.stringify(key)).toMatchObject({ action: 'ObjectEncrypted', key });
    // Clients resolve such segments before they ask.
    if (['.', '..'].includes(key)) continue;
    const byPath = await stack.api(`/objects/${encodeURIComponent(key)}`);
    expect([byPath.status, await byPath.text()], JSON.stringify(key)).toEqual([200, body(key)]);
  }
});

test('texts that are no keys get 400 or 404 from the API, and never an object', async () => {
  for (const text of NOT_DROPPED) {
    const answer = await stack.get(text);
    expect([400, 404], JSON.stringify(text)).toContain(answer.status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  }
  for (const path of ['%', '%ff', '%C3%28', 'a%', ''])
    expect((await stack.api(`/objects/${path}`)).status, path).toBeGreaterThanOrEqual(400);
});
