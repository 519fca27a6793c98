import { describe, expect, test } from 'vitest';
import { createGenerator } from '../../../sandbox/faults/generator.ts';
import { type FaultPlan, parsePlan } from '../../../sandbox/faults/plan.ts';
import { createReport, formatReport } from '../../../sandbox/faults/report.ts';
import { type Call, createRules, type Origin } from '../../../sandbox/faults/rules.ts';

const ERROR = { kind: 'error', status: 500, code: 'InternalError' } as const;
const COPY: Call = { service: 's3', operation: 'CopyObject', caller: 'app-encrypt', byFunction: true };

/** Whether each of so many calls is hit. */
function hits(plan: FaultPlan, count: number, call: Call = COPY, origin: Origin = 'environment'): boolean[] {
  const rules = createRules(parsePlan(plan));
  return Array.from({ length: count }, () => rules.decide(call, origin).fault !== null);
}
const hit = (rule: FaultPlan['rules'][number], call: Partial<Call> = {}, origin: Origin = 'environment') =>
  hits({ rules: [rule] }, 1, { ...COPY, ...call }, origin)[0];

describe('the seed', () => {
  const plan = (seed: number): FaultPlan => ({ seed, rules: [{ fault: ERROR, probability: 0.5 }] });

  test('decides: the same one decides the same, another one otherwise', () => {
    expect(hits(plan(7), 200)).toEqual(hits(plan(7), 200));
    expect(hits(plan(7), 200)).not.toEqual(hits(plan(8), 200));
  });

  test('gives each rule a stream of its own: what else is in the plan changes nothing', () => {
    const alone = createRules(parsePlan({ seed: 3, rules: [{ id: 'a', service: 's3', fault: ERROR, probability: 0.5 }] }));
    const beside = createRules(
      parsePlan({
        seed: 3,
        rules: [
          { id: 'b', service: 'kms', fault: ERROR, probability: 0.5 },
          { id: 'a', service: 's3', fault: ERROR, probability: 0.5 },
        ],
      }),
    );
    for (let index = 0; index < 100; index += 1) {
      beside.decide({ ...COPY, service: 'kms' }, 'wire');
      expect(beside.decide(COPY, 'wire')).toEqual(alone.decide(COPY, 'wire'));
    }
  });

  test('makes numbers that lie evenly from 0 to below 1', () => {
    const next = createGenerator(1, 'even');
    const numbers = Array.from({ length: 10_000 }, next);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const share = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
      expect(share).toBeGreaterThan(850);
      expect(share).toBeLessThan(1150);
    }
  });
});

describe('a rule', () => {
  test('with a probability of 0 never fires, with 1 always', () => {
    expect(hits({ rules: [{ fault: ERROR, probability: 0 }] }, 50)).not.toContain(true);
    expect(hits({ rules: [{ fault: ERROR, probability: 1 }] }, 50)).not.toContain(false);
  });

  test('skips the first matches, and fires so many times at most', () => {
    expect(hits({ rules: [{ fault: ERROR, after: 2, count: 3 }] }, 7)).toEqual([false, false, true, true, true, false, false]);
  });

  test('hits its service and its operations only', () => {
    expect(hit({ service: 's3', operation: 'CopyObject', fault: ERROR })).toBe(true);
    expect(hit({ operation: ['PutObject', 'CopyObject'], fault: ERROR })).toBe(true);
    expect(hit({ operation: ['PutObject', 'UploadPart'], fault: ERROR })).toBe(false);
    expect(hit({ service: 'kms', fault: ERROR })).toBe(false);
  });

  test.each([
    [undefined, { encrypt: true, reencrypt: true, administrator: false }],
    ['*', { encrypt: true, reencrypt: true, administrator: true }],
    ['encrypt', { encrypt: true, reencrypt: false, administrator: false }],
    ['app-encrypt', { encrypt: true, reencrypt: false, administrator: false }],
    ['administrator', { encrypt: false, reencrypt: false, administrator: true }],
    [{ not: 'encrypt' }, { encrypt: false, reencrypt: true, administrator: true }],
  ])('of the caller %j hits %j', (caller, expected) => {
    const rule = { fault: ERROR, ...(caller !== undefined && { caller }) };
    expect({
      encrypt: hit(rule),
      reencrypt: hit(rule, { caller: 'app-reencrypt' }),
      administrator: hit(rule, { caller: 'administrator', byFunction: false }),
    }).toEqual(expected);
  });

  test('of errors hits a call inside of the sandbox only when it names the service', () => {
    const inside = { service: 'kms', operation: 'Decrypt' };
    expect(hit({ service: 'kms', fault: ERROR }, inside, 'inside')).toBe(true);
    expect(hit({ fault: ERROR }, inside, 'inside')).toBe(false);
    expect(hit({ service: 'kms', fault: { kind: 'reset', when: 'before' } }, inside, 'inside')).toBe(false);
  });

  test('of kills hits environments of functions only', () => {
    expect(hit({ caller: '*', fault: { kind: 'kill', when: 'before' } })).toBe(true);
    expect(hit({ caller: '*', fault: { kind: 'kill', when: 'before' } }, {}, 'wire')).toBe(false);
  });

  test('of encryption hits writes only', () => {
    expect(hit({ fault: { kind: 'ignore-encryption' } })).toBe(true);
    expect(hit({ fault: { kind: 'ignore-encryption' } }, { operation: 'GetObject' })).toBe(false);
    expect(hit({ fault: { kind: 'ignore-encryption' } }, { service: 'dynamodb' })).toBe(false);
  });
});

test('the first rule that fires decides and later ones do not see the call, but slow ones add up', () => {
  const slow = { kind: 'slow', latencyMs: 5 } as const;
  const rules = createRules(
    parsePlan({
      rules: [{ fault: ERROR, count: 1 }, { fault: slow }, { id: 'second', fault: { ...ERROR, code: 'Second' } }, { fault: slow }],
    }),
  );
  expect(rules.decide(COPY, 'wire')).toEqual({ slow: [slow, slow], fault: ERROR });
  expect(rules.decide(COPY, 'wire').fault).toMatchObject({ code: 'Second' });
  expect(createReport(rules).rules.find(({ id }) => id === 'second')).toMatchObject({ matched: 1, fired: 1 });
});

test('the report counts by rule and operation, and shows rules that never matched', () => {
  const rules = createRules(
    parsePlan({
      seed: 5,
      rules: [
        { id: 'once', fault: ERROR, count: 1 },
        { service: 'kms', fault: ERROR },
      ],
    }),
  );
  for (const operation of ['CopyObject', 'CopyObject', 'HeadObject']) rules.decide({ ...COPY, operation }, 'wire');
  const report = createReport(rules);
  expect(report).toEqual({
    seed: 5,
    rules: [
      {
        id: 'once',
        fault: ERROR,
        matched: 3,
        fired: 1,
        operations: { 's3:CopyObject': { matched: 2, fired: 1 }, 's3:HeadObject': { matched: 1, fired: 0 } },
      },
      { id: 'rule-2', fault: ERROR, matched: 0, fired: 0, operations: {} },
    ],
  });
  expect(formatReport(report)).toBe(
    [
      'seed 5',
      'rule              matched     fired  fault',
      'once                    3         1  error status=500 code=InternalError',
      '  s3:CopyObject         2         1',
      '  s3:HeadObject         1         0',
      'rule-2                  0         0  error status=500 code=InternalError',
      '',
    ].join('\n'),
  );
});

describe('a plan is refused', () => {
  test.each([
    ['an unknown word', { rules: [{ fault: ERROR, propability: 0.5 }] }, 'propability'],
    ['an unknown fault', { rules: [{ fault: { kind: 'flood' } }] }, 'rules.0.fault.kind'],
    ['an unknown service', { rules: [{ service: 'ec2', fault: ERROR }] }, 'rules.0.service'],
    ['a probability above 1', { rules: [{ fault: ERROR, probability: 1.1 }] }, 'rules.0.probability'],
    ['a status that is no error', { rules: [{ fault: { ...ERROR, status: 200 } }] }, 'rules.0.fault.status'],
    ['a slow fault that is not slow', { rules: [{ fault: { kind: 'slow' } }] }, 'slow needs latencyMs or bytesPerSecond'],
    [
      'a fault that its operation cannot have',
      { rules: [{ operation: 'PutObject', fault: { kind: 'error-in-200', code: 'InternalError' } }] },
      'error-in-200 cannot hit PutObject; it hits CopyObject, UploadPartCopy, CompleteMultipartUpload',
    ],
    [
      'a fault that its service cannot have',
      { rules: [{ service: 'kms', fault: { kind: 'wrong-checksum' } }] },
      'wrong-checksum is a fault of s3',
    ],
    ['a queue for calls', { rules: [{ queue: 'work', fault: ERROR }] }, 'only faults of events have a queue'],
    [
      'two rules of one name',
      {
        rules: [
          { id: 'a', fault: ERROR },
          { id: 'a', fault: ERROR },
        ],
      },
      'two rules have the id a',
    ],
    ['no plan at all', null, 'the plan: '],
  ])('%s', (_what, plan, problem) => {
    expect(() => parsePlan(plan)).toThrow(problem);
  });
});
