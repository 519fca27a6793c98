/** Whatever stands in policy.yml, it is a policy that says just that, or an error that says where. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { SealdropError } from '../../src/errors.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/schema.ts';
import { POLICY } from '../fixtures/encrypt-world.ts';
import { hostileJson, hostileText } from './arbitraries.ts';
import { mutated } from './mutations.ts';

const EVERY_WORD = `
version: 1
rules:
  - match: { prefix: cards/, suffix: .pdf, size: { atLeast: 1, below: 1048576 }, contentType: image/*, tags: { class: public, team: a } }
    encryption: { mode: sse-kms, key: arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555, bucketKey: true }
  - { match: { tags: { class: secret } }, encryption: { mode: dsse-kms, key: aws/s3 } }
default: { encryption: { mode: sse-c } }
formerKeys: [arn:aws:kms:us-east-1:000000000000:key/99999999-8888-7777-6666-555555555555]
source: delete
storageClass: keep
access:
  - { who: { claim: groups, has: readers }, may: [read, list, history], under: [''] }
`;

/** Signs that mean something to YAML. */
const SIGNS = [
  ':',
  '- ',
  '&a ',
  '*a',
  '? ',
  '| ',
  '> ',
  '!x ',
  '!!binary ',
  '<<: ',
  '{',
  '}',
  '[',
  ']',
  ',',
  '#',
  "'",
  '"',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
];

const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(EVERY_WORD, POLICY).chain((text) => mutated(parse(text)).map((document) => stringify(document))),
  fc.constantFrom(EVERY_WORD, POLICY).chain((text) => mutated(parse(text)).map((document) => JSON.stringify(document, null, 1))),
  fc
    .array(fc.tuple(fc.nat(EVERY_WORD.length), fc.nat(3), fc.oneof(fc.constantFrom(...SIGNS), hostileText)), { maxLength: 3 })
    .map((edits) => edits.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), EVERY_WORD)),
  hostileJson.map((document) => JSON.stringify(document)),
  fc.array(fc.constantFrom(...SIGNS, 'a', '1', ' ', '\n', '\n  '), { maxLength: 30 }).map((parts) => parts.join('')),
);

/** `null`: refused, as it must be. */
function load(text: string): Policy | null {
  try {
    return loadPolicy(text);
  } catch (error) {
    expect(error).toBeInstanceOf(SealdropError);
    expect(error).toMatchObject({ code: 'policy-invalid', retryable: false });
    for (const line of (error as SealdropError).message.split('\n')) {
      const [, row, column, problem = ''] = /^policy\.yml:(\d+):(\d+): (.*)$/s.exec(line) ?? [];
      expect(Number(row), line).toBeGreaterThan(0);
      expect(Number(row), line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
      expect(Number(column), line).toBeGreaterThan(0);
      expect(problem).toMatch(/^(not valid YAML: .|at .*: .*(allowed: .|must be of type .))/s);
    }
    return null;
  }
}

/** Nothing that was said is left out or changed. */
function expectSaid(said: unknown, policy: unknown, path = 'policy') {
  if (typeof said !== 'object' || said === null) return expect(policy, path).toEqual(said);
  expect(Array.isArray(policy), path).toBe(Array.isArray(said));
  for (const [name, member] of Object.entries(said)) {
    expect(Object.hasOwn(Object(policy), name), `${path}.${name}`).toBe(true);
    expectSaid(member, Reflect.get(Object(policy), name), `${path}.${name}`);
  }
}

describe('loadPolicy', () => {
  it('gives what was written, all of it, or says where it is wrong', () => {
    const seen = { policy: 0, refused: 0 };
    fc.assert(
      fc.property(texts, (text) => {
        const policy = load(text);
        seen[policy === null ? 'refused' : 'policy'] += 1;
        if (policy !== null) expectSaid(parse(text), policy);
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });

  const valid = 'default: { encryption: { mode: sse-s3 } }\n';

  it.each([
    ['an alias of nothing', `version: *one\n${valid}`, /policy\.yml:1:10: .*\*?one/],
    ['aliases of aliases', `version: 1\n${bomb()}${valid}`, /alias/],
    ['a tag of its own', 'version: 1\ndefault: { encryption: { mode: !secret sse-s3 } }\n', /policy\.yml:2:\d+: .*!secret/],
    ['a condition called __proto__', rule('tags: { __proto__: secret, class: public }'), /policy\.yml:3:28: .*__proto__/],
    ['a word called __proto__', `version: 1\n__proto__: { source: delete }\n${valid}`, /policy\.yml:2:1: .*__proto__/],
    ['a list for a word', `version: 1\n? [a]\n: b\n${valid}`, /policy\.yml:2:3: /],
    ['bytes for a word', `version: 1\n!!binary aGk=: b\n${valid}`, /policy\.yml:2:\d+: .*word/],
    ['a number for a word', `version: 1\n${valid}1: b\n`, /policy\.yml:3:1: at 1: unknown word/],
    ['a prefix that is not Unicode', rule('prefix: "\\ud800"'), /policy\.yml:3:20: .*Unicode/],
    ['a prefix longer than keys', rule(`prefix: ${'é'.repeat(513)}`), /at most 1024 bytes/],
    ['a prefix outside of the bucket', rule('prefix: ../x'), /not out of the bucket/],
    ['a suffix longer than keys', rule(`suffix: ${'k'.repeat(1025)}`), /at most 1024 bytes/],
    ['a wrong value behind an alias', rule('prefix: &a 7, suffix: *a'), /got 7/],
  ])('refuses %s', (_what, text, problem) => {
    expect(() => loadPolicy(text)).toThrow(expect.objectContaining({ code: 'policy-invalid', message: expect.stringMatching(problem) }));
  });

  it.each(['[', '{a: ', '- ', '? '])('refuses 20,000 times %j without choking on it', (sign) => {
    expect(load(sign.repeat(20_000))).toBeNull();
  });

  function rule(match: string): string {
    return `${valid}version: 1\nrules: [{ match: { ${match} }, encryption: { mode: sse-c } }]\n`;
  }

  function bomb(): string {
    return Array.from({ length: 9 }, (_, at) => `a${at}: &a${at} [${at === 0 ? 'x' : `*a${at - 1},`.repeat(10)}]\n`).join('');
  }
});
