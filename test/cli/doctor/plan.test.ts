import { describe, expect, test } from 'vitest';
import { MAX_PROBE_BYTES, planProbes } from '../../../cli/doctor/probes/plan.ts';
import { matchPolicy } from '../../../src/policy/match.ts';
import { policySchema } from '../../../src/policy/schema.ts';

type Rule = { match: Record<string, unknown>; encryption: Record<string, unknown> };

const sseS3 = { mode: 'sse-s3' };
const sseC = { mode: 'sse-c' };
const kms = { mode: 'sse-kms', bucketKey: true };
const policyOf = (rules: Rule[], fallback: Record<string, unknown> = kms) =>
  policySchema.parse({ version: 1, rules, default: { encryption: fallback } });
const planOf = (rules: Rule[], fallback?: Record<string, unknown>) => planProbes(policyOf(rules, fallback), 'id');

describe('the plan of probes', () => {
  test('has one example an encryption, recognisable by its key', () => {
    const { examples, unreachable } = planOf([
      { match: { prefix: 'cards/' }, encryption: sseC },
      { match: { prefix: 'hr/', contentType: 'application/pdf' }, encryption: { mode: 'dsse-kms' } },
      { match: { suffix: '.public.txt' }, encryption: sseS3 },
    ]);
    expect(examples.map(({ rule, encryption }) => [rule, encryption.mode])).toEqual([
      [0, 'sse-c'],
      [1, 'dsse-kms'],
      [2, 'sse-s3'],
      ['default', 'sse-kms'],
    ]);
    expect(examples.every(({ facts }) => facts.key.includes('sealdrop-doctor/id'))).toBe(true);
    expect(examples[0]?.facts.key).toMatch(/^cards\//);
    expect(examples[1]?.facts.contentType).toBe('application/pdf');
    expect(examples[2]?.facts.key).toMatch(/\.public\.txt$/);
    expect(unreachable).toEqual([]);
  });

  test('probes an encryption once, by the rule whose object is smallest', () => {
    const { examples } = planOf(
      [
        { match: { prefix: 'a/', size: { atLeast: 1000 } }, encryption: sseS3 },
        { match: { prefix: 'b/' }, encryption: sseS3 },
      ],
      sseS3,
    );
    expect(examples).toMatchObject([{ rule: 1, facts: { size: 100 } }]);
  });

  test.each<[string, Rule[], number[]]>([
    [
      'a shorter prefix above',
      [
        { match: { prefix: 'a/' }, encryption: sseS3 },
        { match: { prefix: 'a/b/' }, encryption: sseC },
      ],
      [1],
    ],
    [
      'a shorter suffix above',
      [
        { match: { suffix: 't' }, encryption: sseS3 },
        { match: { suffix: '.txt' }, encryption: sseC },
      ],
      [1],
    ],
    [
      'two sizes above that meet',
      [
        { match: { size: { below: 10 } }, encryption: sseS3 },
        { match: { size: { atLeast: 10 } }, encryption: sseC },
        { match: { prefix: 'late/' }, encryption: sseC },
      ],
      [2],
    ],
    [
      'a wider type above',
      [
        { match: { contentType: 'image/*' }, encryption: sseS3 },
        { match: { contentType: 'image/png' }, encryption: sseC },
      ],
      [1],
    ],
    [
      'fewer tags above',
      [
        { match: { tags: { a: '1' } }, encryption: sseS3 },
        { match: { tags: { a: '1', b: '2' } }, encryption: sseC },
      ],
      [1],
    ],
  ])('says that %s takes everything', (_, rules, unreachable) => {
    expect(planOf(rules).unreachable).toEqual(unreachable);
  });

  test.each<[string, Rule[]]>([
    [
      'a longer prefix',
      [
        { match: { prefix: 'a/s' }, encryption: sseS3 },
        { match: { prefix: 'a/' }, encryption: sseC },
      ],
    ],
    [
      'a longer suffix',
      [
        { match: { suffix: 'a.txt' }, encryption: sseS3 },
        { match: { suffix: '.txt' }, encryption: sseC },
      ],
    ],
    [
      "a prefix like the marker's",
      [
        { match: { prefix: 'sealdrop' }, encryption: sseS3 },
        { match: { suffix: '.txt' }, encryption: sseC },
      ],
    ],
    [
      'two sizes that leave a gap',
      [
        { match: { size: { below: 10 } }, encryption: sseS3 },
        { match: { size: { atLeast: 11 } }, encryption: sseS3 },
        { match: { prefix: 'x' }, encryption: sseC },
      ],
    ],
    [
      'a type inside',
      [
        { match: { contentType: 'image/png' }, encryption: sseS3 },
        { match: { contentType: 'image/*' }, encryption: sseC },
      ],
    ],
    [
      'more tags',
      [
        { match: { tags: { a: '1', b: '2' } }, encryption: sseS3 },
        { match: { tags: { a: '1' } }, encryption: sseC },
      ],
    ],
  ])('goes around %s above', (_, rules) => {
    const { examples, unreachable } = planOf(rules);
    expect(unreachable).toEqual([]);
    expect(examples.map(({ encryption }) => encryption.mode)).toContain('sse-c');
  });

  test.each([
    [MAX_PROBE_BYTES, 0],
    [MAX_PROBE_BYTES + 1, 1],
  ])('an encryption of objects from %i bytes up is left out %i times', (atLeast, left) => {
    const { tooLarge, unreachable } = planOf([{ match: { size: { atLeast } }, encryption: sseC }]);
    expect(tooLarge).toHaveLength(left);
    expect(unreachable).toEqual([]);
  });

  test('a default that nothing reaches is no finding', () => {
    expect(planOf([{ match: { size: { atLeast: 0 } }, encryption: sseS3 }]).unreachable).toEqual([]);
  });

  test('gives examples for which the policy decides as it says, whatever the rules', () => {
    const pick = (values: unknown[], seed: number) => values[seed % values.length];
    for (let seed = 0; seed < 400; seed += 1) {
      const rules = [0, 1, 2, 3].map((index) => {
        const roll = (seed + 1) * (index + 7) * 31;
        const match = {
          prefix: pick([undefined, 'a/', 'a/s', 's', 'sealdrop-doctor/'], roll),
          suffix: pick([undefined, '.txt', 't', 'a.txt'], Math.floor(roll / 5)),
          size: pick([undefined, { below: 5 }, { atLeast: 5 }, { atLeast: 2, below: 9 }], Math.floor(roll / 7)),
          contentType: pick([undefined, 'image/*', 'image/png', 'x-sealdrop-doctor/*'], Math.floor(roll / 11)),
          tags: pick([undefined, { a: '1' }, { a: '1', b: '2' }], Math.floor(roll / 13)),
        };
        const said = Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined));
        return { match: Object.keys(said).length === 0 ? { prefix: 'z' } : said, encryption: index % 2 === 0 ? sseS3 : sseC };
      });
      const policy = policyOf(rules);
      const { examples, unreachable } = planProbes(policy, 'id');
      for (const { rule, facts } of examples) expect(matchPolicy(policy, facts)).toMatchObject({ action: 'encrypt', rule });
      // Rules that are said to be unreachable are reached by no object of a grid.
      for (const key of ['a/x.txt', 'a/s', 's.txt', 'q', 'a/s-a.txt', 'sealdrop-doctor/t', 'zt', 'z']) {
        for (const size of [0, 2, 4, 5, 8, 9]) {
          for (const contentType of ['image/png', 'image/gif', 'text/plain', 'x-sealdrop-doctor/probe']) {
            for (const tags of [{}, { a: '1' }, { a: '1', b: '2' }]) {
              const decision = matchPolicy(policy, { key, size, contentType, tags });
              expect(decision.action === 'encrypt' && unreachable.includes(Number(decision.rule))).toBe(false);
            }
          }
        }
      }
    }
  });
});
