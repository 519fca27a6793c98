import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../src/policy/load.ts';
import { iamPrincipal } from '../../src/policy/principal.ts';

describe('iamPrincipal', () => {
  it.each([
    ['arn:aws:sts::123456789012:assumed-role/reporting/session-1', 'arn:aws:iam::123456789012:role/reporting'],
    ['arn:aws-us-gov:sts::123456789012:assumed-role/a+b=c,d.e@f-g/h', 'arn:aws-us-gov:iam::123456789012:role/a+b=c,d.e@f-g'],
    ['arn:aws:iam::123456789012:user/people/anna', 'arn:aws:iam::123456789012:user/people/anna'],
    ['arn:aws:iam::123456789012:root', null],
    ['arn:aws:iam::123456789012:role/reporting', null],
    ['arn:aws:sts::123456789012:federated-user/anna', null],
    ['arn:aws:sts::123456789012:assumed-role/reporting', null],
    ['arn:aws:sts::123456789012:assumed-role/a/b/c', null],
    ['arn:aws:sts::123456789012:assumed-role/role:x/user', null],
    ['', null],
  ])('of %s is %s', (userArn, principal) => {
    expect(iamPrincipal(userArn)).toBe(principal);
  });
});

describe('a policy', () => {
  const load = (who: string) =>
    loadPolicy(`version: 1\ndefault: { encryption: { mode: sse-s3 } }\naccess:\n  - who: ${who}\n    may: [read]\n    under: ['']\n`);

  it.each([
    'arn:aws:iam::123456789012:role/reporting',
    'arn:aws:iam::123456789012:role/a/b/reporting',
    'arn:aws:iam::123456789012:user/anna',
  ])('gives rights to %s', (principal) => {
    expect(load(`{ principal: '${principal}' }`).access[0]?.who).toEqual({ principal });
  });

  it.each([
    "{ principal: '*' }",
    "{ principal: 'arn:aws:iam::123456789012:root' }",
    "{ principal: 'arn:aws:iam::123456789012:role/*' }",
    "{ principal: 'arn:aws:sts::123456789012:assumed-role/a/b' }",
    "{ principal: 'arn:aws:iam::123456789012:role/a', claim: groups, has: a }",
    '{ claim: groups }',
    '{}',
  ])('refuses %s, with its place and what is allowed', (who) => {
    expect(() => load(who)).toThrow(/^policy\.yml:4:\d+: at access\.0\.who.*: .*principal/);
  });
});
