import { describe, expect, it } from 'vitest';
import { policyFingerprint } from '../../src/policy/fingerprint.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const DEFAULT = 'default: { encryption: { mode: sse-kms, bucketKey: true } }';
const RULES =
  'rules: [{ match: { prefix: a/, tags: { x: "1", y: "2" } }, encryption: { mode: sse-c } }, { match: { suffix: .b }, encryption: { mode: sse-s3 } }]';

const of = (text: string) => policyFingerprint(loadPolicy(text));
const ORIGINAL = of(`version: 1\n${RULES}\n${DEFAULT}`);

describe('policyFingerprint', () => {
  it('has 16 hex digits', () => {
    expect(ORIGINAL).toMatch(/^[0-9a-f]{16}$/);
  });

  it('does not change from release to release: records are compared with it', () => {
    expect(of('version: 1\ndefault: { encryption: { mode: sse-s3 } }')).toBe('16613cd0af85c7c3');
  });

  it.each([
    ['comments and layout', `# why\nversion: 1\n\n${RULES}\n${DEFAULT} # so\n`],
    ['the order of words', `${DEFAULT.replace('mode: sse-kms, bucketKey: true', 'bucketKey: true, mode: sse-kms')}\n${RULES}\nversion: 1`],
    ['the order of tags', `version: 1\n${RULES.replace('x: "1", y: "2"', 'y: "2", x: "1"')}\n${DEFAULT}`],
    ['access rules', `version: 1\n${RULES}\n${DEFAULT}\naccess: [{ who: { claim: a, has: b }, may: [read], under: [""] }]`],
    ['what is the default anyway', `version: 1\n${RULES}\n${DEFAULT}\nsource: keep`],
  ])('does not change with %s', (_what, text) => {
    expect(of(text)).toBe(ORIGINAL);
  });

  it.each([
    ['a mode', RULES.replace('sse-c', 'dsse-kms'), DEFAULT],
    ['a tag', RULES.replace('y: "2"', 'y: "3"'), DEFAULT],
    ['the Bucket Key', RULES, DEFAULT.replace('true', 'false')],
    [
      'the order of rules',
      'rules: [{ match: { suffix: .b }, encryption: { mode: sse-s3 } }, { match: { prefix: a/, tags: { x: "1", y: "2" } }, encryption: { mode: sse-c } }]',
      DEFAULT,
    ],
  ])('changes with %s', (_what, rules, fallback) => {
    expect(of(`version: 1\n${rules}\n${fallback}`)).not.toBe(ORIGINAL);
  });
});
