import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../src/policy/load.ts';
import { matchPolicy, type ObjectFacts } from '../../src/policy/match.ts';
import { possibleEncryptions, possibleModes } from '../../src/policy/possible.ts';
import { type Encryption, type Match, type Policy, policySchema } from '../../src/policy/schema.ts';
import { randomNumbers } from '../random-numbers.ts';

const policy = loadPolicy(`
version: 1
rules:
  - { match: { prefix: hr/, contentType: application/pdf }, encryption: { mode: dsse-kms } }
  - { match: { prefix: hr/, tags: { class: secret } }, encryption: { mode: sse-c } }
  - { match: { prefix: hr/public/ }, encryption: { mode: sse-s3 } }
default: { encryption: { mode: sse-kms } }
`);

const modes = (facts: Partial<ObjectFacts>) => {
  const { encryptions, open } = possibleEncryptions(policy, { key: 'hr/1', size: 5, ...facts });
  return { modes: encryptions.map(({ mode }) => mode), open };
};

describe('possibleEncryptions', () => {
  it.each<[string, Partial<ObjectFacts>, string[], string[]]>([
    ['no rule turns on what is unknown', { key: 'a' }, ['sse-kms'], []],
    ['nothing is known', {}, ['dsse-kms', 'sse-c', 'sse-kms'], ['contentType', 'tags']],
    ['a rule without open facts ends the list', { key: 'hr/public/1' }, ['dsse-kms', 'sse-c', 'sse-s3'], ['contentType', 'tags']],
    ['the type speaks against a rule', { contentType: 'text/plain' }, ['sse-c', 'sse-kms'], ['tags']],
    ['the type speaks for a rule', { contentType: 'application/pdf' }, ['dsse-kms'], []],
    ['only the type is unknown', { tags: {} }, ['dsse-kms', 'sse-kms'], ['contentType']],
    ['all is known', { contentType: 'text/plain', tags: { class: 'secret' } }, ['sse-c'], []],
  ])('when %s', (_when, facts, expected, open) => {
    expect(modes(facts)).toEqual({ modes: expected, open });
  });

  it('holds for a rule whose tags are known not to match, whatever its content type', () => {
    const both = loadPolicy(
      'version: 1\nrules: [{ match: { contentType: a/b, tags: { x: "1" } }, encryption: { mode: sse-c } }]\ndefault: { encryption: { mode: sse-s3 } }',
    );
    expect(possibleEncryptions(both, { key: 'k', size: 1, tags: { x: '2' } })).toEqual({ encryptions: [{ mode: 'sse-s3' }], open: [] });
  });

  it('always holds what the policy means once all is known, and only that when nothing stands open', () => {
    const random = randomNumbers(20261121);
    for (let round = 0; round < 4_000; round += 1) {
      const drawn = randomPolicy(random);
      const known = randomFacts(random);
      const { contentType: _type, tags: _tags, ...least } = known;
      const meant = matchPolicy(drawn, known);
      if (meant.action !== 'encrypt') throw new Error('all facts were known');
      for (const facts of [least, { ...least, contentType: known.contentType }, { ...least, tags: known.tags }, known]) {
        const { encryptions, open } = possibleEncryptions(drawn, facts);
        expect(encryptions).toContain(meant.encryption);
        if (open.length === 0) expect(encryptions).toEqual([meant.encryption]);
        expect(open.every((fact) => !(fact in facts))).toBe(true);
      }
    }
  });
});

describe('possibleModes', () => {
  it('has the mode of every object with that key, and one alone where the key decides', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomNumbers(seed);
      const drawn = randomPolicy(random);
      const facts = randomFacts(random);
      const meant = matchPolicy(drawn, facts);
      if (meant.action !== 'encrypt') throw new Error('all facts were known');
      expect(possibleModes(drawn, facts.key)).toContain(meant.encryption.mode);
    }
  });

  it.each([
    ['cards/1', ['sse-c']],
    ['hr/1', ['dsse-kms', 'sse-kms']],
    ['big/1', ['sse-s3', 'sse-kms']],
    ['other', ['sse-kms']],
  ])('of %s are %j', (key, modes) => {
    const shipped = policySchema.parse({
      version: 1,
      rules: [
        { match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } },
        { match: { prefix: 'hr/', contentType: 'application/pdf' }, encryption: { mode: 'dsse-kms' } },
        { match: { prefix: 'big/', size: { atLeast: 1 } }, encryption: { mode: 'sse-s3' } },
      ],
      default: { encryption: { mode: 'sse-kms' } },
    });
    expect([...possibleModes(shipped, key)]).toEqual(modes);
  });
});

type Random = ReturnType<typeof randomNumbers>;

const pick = <T>(random: Random, first: T, ...rest: T[]): T => [first, ...rest][random(rest.length + 1)] ?? first;

function randomPolicy(random: Random): Policy {
  const rules = Array.from({ length: random(5) }, () => ({ match: randomMatch(random), encryption: randomEncryption(random) }));
  return {
    version: 1,
    rules,
    default: { encryption: randomEncryption(random) },
    formerKeys: [],
    source: 'keep',
    storageClass: 'STANDARD',
    access: [],
    downloads: [],
  };
}

function randomMatch(random: Random): Match {
  return {
    ...(random(2) ? { prefix: pick(random, 'a', 'b') } : {}),
    ...(random(3) ? {} : { suffix: pick(random, 'a', 'b') }),
    ...(random(3) ? {} : { size: { atLeast: random(3) } }),
    ...(random(2) ? { contentType: pick(random, 'a/a', 'b/b', 'a/*') } : {}),
    ...(random(2) ? { tags: { x: pick(random, '1', '2') } } : {}),
  };
}

/** Every one is an object of its own, so that equal ones are told apart by identity where it matters. */
function randomEncryption(random: Random): Encryption {
  return pick<Encryption>(
    random,
    { mode: 'sse-s3' },
    { mode: 'sse-kms', bucketKey: random(2) === 1 },
    { mode: 'dsse-kms' },
    { mode: 'sse-c' },
  );
}

function randomFacts(random: Random) {
  return {
    key: pick(random, 'a', 'b', 'ab', 'ba', 'c'),
    size: random(4),
    contentType: pick(random, 'a/a', 'b/b', 'A/A; charset=utf-8', 'c/c'),
    tags: pick<Record<string, string>>(random, {}, { x: '1' }, { x: '2' }),
  };
}
