import { describe, expect, test } from 'vitest';
import { policyFile, stackStatus } from '../../../cli/doctor/checks/stack-status.ts';
import { findingsOf } from './suite.ts';
import { healthyWorld, POLICY } from './world.ts';

describe('the stack', () => {
  const rows: [string, string[]][] = [
    ['CREATE_COMPLETE', []],
    ['UPDATE_COMPLETE', []],
    ['UPDATE_IN_PROGRESS', ['warning stack.in-progress']],
    ['UPDATE_ROLLBACK_COMPLETE', ['warning stack.rolled-back']],
    ['UPDATE_ROLLBACK_FAILED', ['error stack.failed']],
    ['ROLLBACK_COMPLETE', ['error stack.failed']],
  ];
  test.each(rows)('in state %s: %j', async (status, found) => {
    expect(await findingsOf(stackStatus, healthyWorld({ stack: { status } }))).toEqual(found);
  });
});

describe('the policy', () => {
  test('is the deployed one', async () => {
    expect(await findingsOf(policyFile, healthyWorld())).toEqual([]);
  });
  test('differs from the deployed one', async () => {
    const [finding] = await policyFile.run(healthyWorld({ stack: { policyFingerprint: '0000000000000000' } }).context);
    expect(finding).toMatchObject({
      id: 'policy.not-deployed',
      severity: 'error',
      command: 'npx serverless deploy --stage prod --param policy=policy.yml',
    });
  });
  test('has a rule that nothing reaches, told by its place in the file', async () => {
    const first = POLICY.rules[0];
    const rules = first === undefined ? [] : [...POLICY.rules, { ...first, match: { prefix: 'cards/gold/' } }];
    const [, finding] = await policyFile.run(healthyWorld({ policy: { ...POLICY, rules } }).context);
    expect(finding).toMatchObject({ id: 'policy.never-reached', evidence: { rule: 3 } });
  });
});
