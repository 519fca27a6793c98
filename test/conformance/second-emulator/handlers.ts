/** The functions against an emulator that we did not write: one contract, two servers. Run by scripts/second-emulator.sh. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODE_CASES, modeContract } from '../../contract/mode-contract.ts';
import { type EmulatedStack, startEmulatedStack } from './emulated-stack.ts';

/** docs/conformance.md says why the others are not. */
const SHARED = ['s3/', 'default/', 'customer/'];

let stack: EmulatedStack;
beforeAll(async () => {
  stack = await startEmulatedStack();
});
afterAll(() => stack.stop());

for (const mode of MODE_CASES.filter(({ prefix }) => SHARED.includes(prefix))) modeContract(mode, () => stack);

describe('a mode that the server does not have', () => {
  test.each([
    // It takes the request, and its answer does not say that the Bucket Key is on.
    ['bucket-key/', 'answer-mismatch'],
    // What is encrypted before S3 is stored with the Bucket Key, too.
    ['sealed/', 'answer-mismatch'],
    ['wrapped/', 'answer-mismatch'],
    // It refuses the request.
    ['dsse/', 'unknown'],
    // Its KMS has no aws/s3.
    ['managed/', 'kms-key-not-found'],
  ])('%s is a dead letter with the cause %s, never an encrypted object', async (prefix, code) => {
    const key = `${prefix}refused`;
    await stack.drop(key, 'content');
    await stack.settled();
    const letters = await stack.takeDeadLetters();
    expect(letters.map(({ MessageAttributes }) => MessageAttributes?.code?.StringValue)).toEqual([code]);
    const events = await stack.history(key);
    expect(events.map(({ action, code: recorded }) => [action, recorded])).toEqual([['EncryptionFailed', code]]);
  });
});
