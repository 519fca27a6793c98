/** The contract of every mode, in the sandbox. */
import { afterAll, beforeAll } from 'vitest';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';
import { MODE_CASES, modeContract } from './mode-contract.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());

for (const mode of MODE_CASES) modeContract(mode, () => stack);
