import { describe, expect, it } from 'vitest';
import { certainByKey, type KeyPattern, overlaps } from '../../src/policy/certain.ts';
import { matchPolicy } from '../../src/policy/match.ts';
import { type Encryption, type Policy, policySchema } from '../../src/policy/schema.ts';
import { randomNumbers } from '../random-numbers.ts';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

function policy(rules: { match: object; encryption: object }[], fallback: object = { mode: 'sse-kms' }): Policy {
  return policySchema.parse({ version: 1, rules, default: { encryption: fallback } });
}

const sseC = { mode: 'sse-c' };
const sseS3 = { mode: 'sse-s3' };
const dsse = { mode: 'dsse-kms' };
const kms = { mode: 'sse-kms' };

describe('certainByKey', () => {
  it('is certain of a rule that matches by prefix alone', () => {
    const { within, elsewhere } = certainByKey(policy([{ match: { prefix: 'cards/' }, encryption: sseC }]));
    expect(within).toEqual([{ rule: 0, keys: { prefix: 'cards/', suffix: '' }, encryptions: [sseC] }]);
    expect(elsewhere).toEqual([kms]);
  });

  it('is certain of a rule that matches by prefix and suffix', () => {
    const { within } = certainByKey(policy([{ match: { prefix: 'a/', suffix: '.txt' }, encryption: sseS3 }]));
    expect(within[0]).toEqual({ rule: 0, keys: { prefix: 'a/', suffix: '.txt' }, encryptions: [sseS3] });
  });

  it('adds what an earlier rule can make of the same keys', () => {
    const rules = [
      { match: { prefix: 'cards/' }, encryption: sseC },
      { match: { suffix: '.txt' }, encryption: sseS3 },
    ];
    const { within } = certainByKey(policy(rules));
    expect(within.map(({ encryptions }) => encryptions)).toEqual([[sseC], [sseC, sseS3]]);
  });

  it('leaves out earlier rules whose keys cannot be the same', () => {
    const rules = [
      { match: { prefix: 'cards/' }, encryption: sseC },
      { match: { prefix: 'hr/' }, encryption: sseS3 },
      { match: { prefix: 'hr/', suffix: '.pdf' }, encryption: dsse },
      { match: { suffix: '.txt' }, encryption: kms },
    ];
    expect(certainByKey(policy(rules)).within.map(({ encryptions }) => encryptions)).toEqual([
      [sseC],
      [sseS3],
      [sseS3],
      [sseC, sseS3, kms],
    ]);
  });

  it('is certain although an earlier rule matches, if that one says the same', () => {
    const rules = [
      { match: { prefix: 'a/b/', size: { below: 10 } }, encryption: { mode: 'sse-kms', bucketKey: true } },
      { match: { prefix: 'a/' }, encryption: kms },
    ];
    expect(certainByKey(policy(rules)).within.map(({ encryptions }) => encryptions)).toEqual([[kms], [kms]]);
  });

  it('adds what follows a rule that turns on more than the key', () => {
    const rules = [{ match: { prefix: 'hr/', contentType: 'application/pdf' }, encryption: dsse }];
    expect(certainByKey(policy(rules)).within[0]?.encryptions).toEqual([dsse, kms]);
  });

  it('says of other keys what rules without prefix and suffix and the default can make', () => {
    const rules = [
      { match: { tags: { class: 'public' } }, encryption: sseS3 },
      { match: { prefix: 'cards/' }, encryption: sseC },
    ];
    const { elsewhere, within } = certainByKey(policy(rules));
    expect(elsewhere).toEqual([sseS3, kms]);
    expect(within).toEqual([{ rule: 1, keys: { prefix: 'cards/', suffix: '' }, encryptions: [sseS3, sseC] }]);
  });

  it('tells keys apart and takes Bucket Keys for one', () => {
    const rules = [
      { match: { prefix: 'a/' }, encryption: { mode: 'sse-kms', key: KEY } },
      { match: { prefix: 'b/' }, encryption: { mode: 'sse-kms', key: 'aws/s3' } },
      { match: { prefix: 'c/' }, encryption: { mode: 'sse-kms', bucketKey: true } },
    ];
    expect(certainByKey(policy(rules)).anywhere).toEqual([{ mode: 'sse-kms', key: KEY }, { mode: 'sse-kms', key: 'aws/s3' }, kms]);
  });

  it('never rules out what the policy decides, whatever policy, key and facts', () => {
    const random = randomNumbers(7);
    let exact = 0;
    for (let round = 0; round < 4_000; round += 1) {
      const made = randomPolicy(random);
      const certainty = certainByKey(made);
      for (let attempt = 0; attempt < 6; attempt += 1) {
        const key = text(random, 5);
        const facts = { key, size: random(4), contentType: pick(random, ['a/b', 'c/d']), tags: pick(random, [{}, { t: '1' }]) };
        const decision = matchPolicy(made, facts);
        if (decision.action !== 'encrypt') throw new Error('every fact is known');
        const asked = askedOf(decision.encryption);
        const own = certainty.within.filter(({ keys }) => matches(keys, key));
        for (const { encryptions } of own.length > 0 ? own : [{ encryptions: certainty.elsewhere }]) {
          expect(encryptions, `${JSON.stringify(made)} ${JSON.stringify(facts)}`).toContainEqual(asked);
          if (encryptions.length === 1) exact += 1;
        }
        expect(certainty.anywhere).toContainEqual(asked);
      }
    }
    expect(exact).toBeGreaterThan(1_000);
  });
});

describe('overlaps', () => {
  it('gives the keys in which prefix and suffix share characters', () => {
    expect(overlaps({ prefix: 'aba', suffix: 'abab' })).toEqual(['ababab', 'abab']);
    expect(overlaps({ prefix: 'a/', suffix: '.txt' })).toEqual([]);
    expect(overlaps({ prefix: 'a', suffix: '' })).toEqual([]);
  });

  it('with prefix, anything, suffix covers exactly the keys that match', () => {
    const random = randomNumbers(11);
    for (let round = 0; round < 20_000; round += 1) {
      const pattern = { prefix: text(random, 4), suffix: text(random, 4) };
      const key = text(random, 7);
      const long = key.length >= pattern.prefix.length + pattern.suffix.length && matches(pattern, key);
      expect(long || overlaps(pattern).includes(key), `${JSON.stringify(pattern)} ${key}`).toBe(matches(pattern, key));
    }
  });
});

function matches({ prefix, suffix }: KeyPattern, key: string): boolean {
  return key.startsWith(prefix) && key.endsWith(suffix);
}

function askedOf(encryption: Encryption) {
  return { mode: encryption.mode, ...('key' in encryption && encryption.key !== undefined ? { key: encryption.key } : {}) };
}

function randomPolicy(random: (below: number) => number): Policy {
  const encryption = () =>
    pick(random, [sseC, sseS3, dsse, kms, { mode: 'sse-kms', key: KEY }, { mode: 'sse-kms', key: 'aws/s3', bucketKey: true }]);
  const rules = Array.from({ length: random(5) }, () => {
    const match = {
      ...(random(3) > 0 ? { prefix: `${text(random, 2)}${pick(random, ['a', 'b'])}` } : {}),
      ...(random(3) === 0 ? { suffix: `${pick(random, ['a', 'b'])}${text(random, 2)}` } : {}),
      ...(random(5) === 0 ? { size: { below: 1 + random(3) } } : {}),
      ...(random(6) === 0 ? { contentType: 'a/*' } : {}),
      ...(random(6) === 0 ? { tags: { t: '1' } } : {}),
    };
    return { match: Object.keys(match).length > 0 ? match : { prefix: 'b' }, encryption: encryption() };
  });
  return policy(rules, encryption());
}

/** Few letters, so that prefixes, suffixes and keys meet often. */
function text(random: (below: number) => number, longest: number): string {
  return Array.from({ length: random(longest + 1) }, () => pick(random, ['a', 'b'])).join('');
}

function pick<T>(random: (below: number) => number, from: T[]): T {
  const value = from[random(from.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
