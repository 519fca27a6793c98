/** For any policy and any object a decision comes, and rights come of nothing but what a rule names. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { mayAccess } from '../../src/http/access.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { matchPolicy, type ObjectFacts } from '../../src/policy/match.ts';
import type { Encryption, Policy } from '../../src/policy/schema.ts';
import { STACK_KEY } from '../fixtures/objects.ts';
import { hostileJson, hostileText } from './arbitraries.ts';

/** Few letters, so that keys and patterns meet and overlap. */
const short = (least: number) => fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: least, maxLength: 4 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const encryptions = fc.oneof(
  fc.constantFrom<Encryption>({ mode: 'sse-s3' }, { mode: 'sse-c' }),
  fc.record({ mode: fc.constant('sse-kms'), key: fc.constantFrom('aws/s3', STACK_KEY), bucketKey: fc.boolean() }),
  fc.record({ mode: fc.constant('dsse-kms'), key: fc.constantFrom('aws/s3', STACK_KEY) }, { requiredKeys: ['mode'] }),
);

const matches = fc
  .record({
    prefix: maybe(short(1)),
    suffix: maybe(short(1)),
    size: maybe(fc.constantFrom({ atLeast: 2 }, { below: 3 }, { atLeast: 1, below: 2 })),
    contentType: maybe(fc.constantFrom('text/plain', 'text/*', 'image/png')),
    tags: maybe(fc.constantFrom({ a: '1' }, { a: '1', b: '2' }, { constructor: 'x' })),
  })
  .map((match) => Object.fromEntries(Object.entries(match).filter(([, condition]) => condition !== undefined)))
  .filter((match) => Object.keys(match).length > 0);

/** As they come out of the file: what is generated is a policy, or the test fails. */
const policies: fc.Arbitrary<Policy> = fc
  .record({
    version: fc.constant(1),
    rules: fc.array(fc.record({ match: matches, encryption: encryptions }), { maxLength: 6 }),
    default: fc.record({ encryption: encryptions }),
  })
  .map((document) => loadPolicy(stringify(document)));

const wholeFacts: fc.Arbitrary<Required<ObjectFacts>> = fc.record({
  key: short(1),
  size: fc.nat(4),
  contentType: fc.oneof(fc.constantFrom('text/plain', 'TEXT/PLAIN; charset=utf-8', 'text/', 'image/png', ''), hostileText),
  tags: fc.oneof(
    fc.constantFrom<Record<string, string>[]>({}, { a: '1' }, { a: '1', b: '2', c: '3' }),
    fc.dictionary(hostileText, hostileText, { maxKeys: 3 }),
  ),
});

/** As encrypt does it: facts are asked for one at a time. */
function decide(policy: Policy, { contentType, tags, ...facts }: Required<ObjectFacts>): Encryption {
  let known: ObjectFacts = facts;
  for (const _look of ['neither', 'one', 'both']) {
    const decision = matchPolicy(policy, known);
    if (decision.action === 'encrypt') return decision.encryption;
    expect(known).not.toHaveProperty(decision.fact);
    known = { ...known, ...(decision.fact === 'tags' ? { tags } : { contentType }) };
  }
  throw new Error('all facts are known, and there is no decision');
}

describe('for any policy and any object', () => {
  it('two looks at most lead to the decision that all facts at once lead to', () => {
    fc.assert(
      fc.property(policies, wholeFacts, (policy, facts) => {
        expect(matchPolicy(policy, facts)).toMatchObject({ action: 'encrypt', encryption: decide(policy, facts) });
      }),
      { numRuns: 600 },
    );
  });
});

describe('rights', () => {
  const rules = (claim: string, has: string) => loadPolicy(stringify({ ...MINIMAL, access: [{ ...RIGHTS, who: { claim, has } }] })).access;
  const MINIMAL = { version: 1, default: { encryption: { mode: 'sse-s3' } } };
  const RIGHTS = { may: ['read', 'list', 'history'], under: ['reports/'] };
  const names = hostileText.filter((text) => text.isWellFormed() && text !== '');
  const documents = fc.array(fc.tuple(hostileText, hostileJson), { maxLength: 4 }).map((members) => Object.fromEntries(members));

  it('come of no claim of another type, shape, case or name', () => {
    fc.assert(
      fc.property(names, names, documents, fc.nat(9), (claim, has, others, form) => {
        const near = [has, [has], { [has]: true }, { 0: has, length: 1 }, true, 1, null, `${has}\u0000`, has.repeat(2), ` ${has}`][form];
        const claims = { ...others, ...Object.fromEntries([[claim, form === 1 ? [near] : form === 0 ? { has } : near]]) };
        expect(mayAccess(rules(claim, has), { claims, principal: null }, 'read', 'reports/a')).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('come of the claim itself, alone or in a list, for keys below the prefix only', () => {
    fc.assert(
      fc.property(names, names, fc.array(hostileJson, { maxLength: 3 }), hostileText, (claim, has, others, key) => {
        fc.pre(claim !== 'scope');
        for (const value of [has, [...others, has]]) {
          const claims = Object.fromEntries([[claim, value]]);
          expect(mayAccess(rules(claim, has), { claims, principal: null }, 'read', `reports/${key}`)).toBe(true);
          expect(mayAccess(rules(claim, has), { claims, principal: null }, 'read', key)).toBe(key.startsWith('reports/'));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('come of nothing that was inherited', () => {
    for (const claim of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      for (const claims of [{}, Object.create({ [claim]: 'x' })]) {
        expect(mayAccess(rules(claim, 'x'), { claims, principal: null }, 'read', 'reports/a'), claim).toBe(false);
      }
    }
  });
});
