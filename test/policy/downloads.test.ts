import { describe, expect, it } from 'vitest';
import { downloadRule, usesTransit } from '../../src/policy/downloads.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { policySchema } from '../../src/policy/schema.ts';

const load = (downloads: string) => loadPolicy(`version: 1\ndefault: { encryption: { mode: sse-kms } }\n${downloads}`);

describe('downloads', () => {
  const policy = load(`downloads:
  - under: [cards/archive/]
    redirect: false
  - under: [cards/, hr/]
    transit: true`);

  it.each([
    ['cards/archive/1', { redirect: false, transit: false }],
    ['cards/1', { redirect: true, transit: true }],
    ['hr/1', { redirect: true, transit: true }],
    ['cards', { redirect: true, transit: false }],
    ['other', { redirect: true, transit: false }],
  ])('of %s: the first entry that covers the key, and redirects without transit where none does', (key, expected) => {
    expect(downloadRule(policy, key)).toMatchObject(expected);
  });

  it.each([
    ['downloads:\n  - redirect: false', /4:5: at downloads\.0\.under: missing/],
    ['downloads:\n  - under: []', /at least one prefix/],
    [
      "downloads:\n  - under: ['']\n    redirects: never",
      /5:5: at downloads\.0\.redirects: unknown word; allowed: under, redirect, transit/,
    ],
    ["downloads:\n  - under: ['']\n    redirect: never", /redirect: got "?never"?; it must be of type boolean/],
    ["downloads:\n  - under: ['']\n    redirect: false\n    transit: true", /transit only with redirect/],
  ])('refuses %j with its place and what is allowed', (text, message) => {
    expect(() => load(text)).toThrow(message);
  });
});

describe('usesTransit', () => {
  it.each([
    [false, []],
    [false, [{ under: [''] }]],
    [true, [{ under: ['a/'] }, { under: ['cards/'], transit: true }]],
  ])('is %s where entries are %j', (expected, downloads) => {
    expect(usesTransit(policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-kms' } }, downloads }))).toBe(expected);
  });
});
