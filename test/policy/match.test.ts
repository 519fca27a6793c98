import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../src/policy/load.ts';
import { matchPolicy, type ObjectFacts } from '../../src/policy/match.ts';

const facts = (changes: Partial<ObjectFacts> = {}): ObjectFacts => ({ key: 'a/b.txt', size: 10, ...changes });

/** A policy of one rule a match; each decision is told by the rule's number. */
function decide(matches: string[], object: ObjectFacts) {
  const rules = matches.map((match) => `  - { match: ${match}, encryption: { mode: sse-c } }`).join('\n');
  const decision = matchPolicy(loadPolicy(`version: 1\nrules:\n${rules}\ndefault: { encryption: { mode: sse-s3 } }`), object);
  return decision.action === 'encrypt' ? decision.rule : decision.fact;
}

describe('matchPolicy', () => {
  it('takes the first rule that matches', () => {
    expect(decide(['{ prefix: z/ }', '{ prefix: a/ }', '{ suffix: .txt }'], facts())).toBe(1);
  });

  it('takes the default when none matches, and says so', () => {
    const policy = loadPolicy(
      'version: 1\nrules: [{ match: { prefix: z/ }, encryption: { mode: sse-c } }]\ndefault: { encryption: { mode: sse-s3 } }',
    );
    expect(matchPolicy(policy, facts())).toEqual({ action: 'encrypt', rule: 'default', encryption: { mode: 'sse-s3' } });
  });

  it.each([
    ['a/', 'a/', 0],
    ['a/', 'a', 'default'],
    ['a/', 'A/b', 'default'],
    ['a/', 'b/a/', 'default'],
    ['日本/', '日本/x', 0],
  ])('the prefix %s decides %s as %s', (prefix, key, rule) => {
    expect(decide([`{ prefix: "${prefix}" }`], facts({ key }))).toBe(rule);
  });

  it.each([
    ['.txt', 'a.txt', 0],
    ['.txt', '.txt', 0],
    ['.txt', 'a.txt.gz', 'default'],
    ['.txt', 'a.TXT', 'default'],
  ])('the suffix %s decides %s as %s', (suffix, key, rule) => {
    expect(decide([`{ suffix: ${suffix} }`], facts({ key }))).toBe(rule);
  });

  it.each([
    [99, 'default'],
    [100, 0],
    [101, 0],
    [199, 0],
    [200, 'default'],
    [201, 'default'],
  ])('sizes from 100 and below 200 decide %d bytes as %s', (size, rule) => {
    expect(decide(['{ size: { atLeast: 100, below: 200 } }'], facts({ size }))).toBe(rule);
  });

  it('takes an empty object for one below 1 byte', () => {
    expect(decide(['{ size: { below: 1 } }'], facts({ size: 0 }))).toBe(0);
  });

  it.each([
    ['application/pdf', 'application/pdf', 0],
    ['application/pdf', 'Application/PDF; charset=binary', 0],
    ['application/pdf', 'application/pdfx', 'default'],
    ['image/*', 'image/png', 0],
    ['image/*', 'images/png', 'default'],
    ['image/*', 'text/image/png', 'default'],
  ])('the type %s decides %s as %s', (pattern, contentType, rule) => {
    expect(decide([`{ contentType: ${pattern} }`], facts({ contentType }))).toBe(rule);
  });

  it.each([
    [{ class: 'secret', more: 'x' }, 0],
    [{ class: 'Secret' }, 'default'],
    [{ other: 'secret' }, 'default'],
    [{}, 'default'],
  ])('the tag class=secret decides %j as %s', (tags, rule) => {
    expect(decide(['{ tags: { class: secret } }'], facts({ tags }))).toBe(rule);
  });

  it('does not take what is only inherited for a tag', () => {
    expect(decide(['{ tags: { class: secret } }'], facts({ tags: Object.create({ class: 'secret' }) }))).toBe('default');
  });

  it('needs every part of a match', () => {
    const match = ['{ prefix: a/, suffix: .txt, size: { below: 11 } }'];
    expect(decide(match, facts())).toBe(0);
    for (const change of [{ key: 'b/b.txt' }, { key: 'a/b.pdf' }, { size: 11 }]) expect(decide(match, facts(change))).toBe('default');
  });
});

describe('a fact that costs a request', () => {
  const COSTLY = '{ prefix: hr/, contentType: application/pdf }';

  it('is asked for when a rule turns on it', () => {
    expect(decide([COSTLY], facts({ key: 'hr/1' }))).toBe('contentType');
    expect(decide(['{ tags: { a: b } }'], facts())).toBe('tags');
  });

  it('is not asked for when the rule fails without it', () => {
    expect(decide([COSTLY], facts())).toBe('default');
  });

  it('is not asked for behind a rule that matches', () => {
    expect(decide(['{ prefix: hr/ }', COSTLY], facts({ key: 'hr/1' }))).toBe(0);
  });

  it('is asked for before a rule below may win', () => {
    expect(decide([COSTLY, '{ prefix: hr/ }'], facts({ key: 'hr/1' }))).toBe('contentType');
    expect(decide([COSTLY, '{ prefix: hr/ }'], facts({ key: 'hr/1', contentType: 'text/plain' }))).toBe(1);
  });

  it('is asked for one at a time, the type before the tags', () => {
    const both = ['{ contentType: text/*, tags: { a: b } }'];
    expect(decide(both, facts())).toBe('contentType');
    expect(decide(both, facts({ contentType: 'image/png' }))).toBe('default');
    expect(decide(both, facts({ contentType: 'text/css' }))).toBe('tags');
  });
});
