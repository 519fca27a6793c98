import { describe, expect, it } from 'vitest';
import { type Claims, type Identity, mayAccess } from '../../src/http/access.ts';
import type { AccessAction, AccessRule } from '../../src/policy/schema.ts';

const rule = (changes: Partial<AccessRule> = {}): AccessRule => ({
  who: { claim: 'groups', has: 'finance' },
  may: ['read'],
  under: ['finance/'],
  ...changes,
});
const FINANCE = { sub: 'u', groups: ['finance'] };
const by = (claims: Claims): Identity => ({ claims, principal: null });

describe('mayAccess', () => {
  it('allows what a rule says', () => {
    expect(mayAccess([rule()], by(FINANCE), 'read', 'finance/1')).toBe(true);
  });

  it.each([
    ['no rules', [], FINANCE, 'read', 'finance/1'],
    ['no claims', [rule()], {}, 'read', 'finance/1'],
    ['another action', [rule()], FINANCE, 'list', 'finance/1'],
    ['another key', [rule()], FINANCE, 'read', 'hr/1'],
    ['the prefix without its slash', [rule()], FINANCE, 'read', 'finance'],
    ['a prefix further in', [rule()], FINANCE, 'read', 'x/finance/1'],
    ['another group', [rule()], { groups: ['hr'] }, 'read', 'finance/1'],
    ['a group that begins alike', [rule()], { groups: ['finance-interns'] }, 'read', 'finance/1'],
    ['another claim', [rule()], { roles: ['finance'] }, 'read', 'finance/1'],
    ['a text that holds the word', [rule()], { groups: 'finance hr' }, 'read', 'finance/1'],
    ['a number', [rule()], { groups: 1 }, 'read', 'finance/1'],
    ['null', [rule()], { groups: null }, 'read', 'finance/1'],
    ['an object', [rule()], { groups: { finance: true } }, 'read', 'finance/1'],
    ['a claim that is only inherited', [rule()], Object.create(FINANCE), 'read', 'finance/1'],
    ['a listing above the prefix', [rule({ may: ['list'] })], FINANCE, 'list', ''],
    ['a listing of half the prefix', [rule({ may: ['list'] })], FINANCE, 'list', 'fin'],
  ] as const)('denies %s', (_what, rules, claims, action, key) => {
    expect(mayAccess([...rules], by(claims), action, key)).toBe(false);
  });

  it.each([
    ['a claim of one text', { groups: 'finance' }, 'groups'],
    ['one scope of several', { scope: 'openid finance email' }, 'scope'],
  ])('takes %s', (_what, claims, claim) => {
    expect(mayAccess([rule({ who: { claim, has: 'finance' } })], by(claims), 'read', 'finance/1')).toBe(true);
  });

  it('does not take half a scope', () => {
    expect(mayAccess([rule({ who: { claim: 'scope', has: 'finance' } })], by({ scope: 'openid finance.read' }), 'read', 'finance/1')).toBe(
      false,
    );
  });

  it('does not mix the rights of two rules', () => {
    const rules = [
      rule({ under: ['a/'] }),
      rule({ may: ['list'], under: ['b/'] }),
      rule({ who: { claim: 'groups', has: 'hr' }, under: ['c/'] }),
    ];
    for (const [action, key] of [
      ['read', 'b/1'],
      ['list', 'a/1'],
      ['read', 'c/1'],
    ] as const)
      expect(mayAccess(rules, by(FINANCE), action, key)).toBe(false);
  });

  it("takes '' for every key", () => {
    expect(mayAccess([rule({ under: [''] })], by(FINANCE), 'read', 'anything/at/all')).toBe(true);
  });

  /** Every combination of two rules, callers, actions and keys, against the rule of the policy written out by hand. */
  it('allows exactly what one whole rule allows, whatever the combination', () => {
    const groups = ['finance', 'hr'];
    const prefixes = ['', 'a/', 'a/b'];
    const actions: AccessAction[] = ['read', 'list', 'history'];
    const keys = ['', 'a', 'a/', 'a/b', 'a/bc', 'b'];
    const rules = groups.flatMap((has) =>
      prefixes.flatMap((prefix) => actions.map((action) => rule({ who: { claim: 'groups', has }, may: [action], under: [prefix] }))),
    );
    let allowed = 0;
    let denied = 0;
    for (const first of rules) {
      for (const second of rules) {
        for (const group of groups) {
          for (const action of actions) {
            for (const key of keys) {
              const expected = [first, second].some(
                ({ who, may, under }) =>
                  'has' in who && who.has === group && may[0] === action && key.slice(0, under[0]?.length) === under[0],
              );
              if (mayAccess([first, second], by({ groups: [group] }), action, key) !== expected)
                throw new Error(JSON.stringify({ first, second, group, action, key }));
              if (expected) allowed += 1;
              else denied += 1;
            }
          }
        }
      }
    }
    expect([allowed, denied].every((count) => count > 1000)).toBe(true);
  });
});

describe('a rule for an IAM principal', () => {
  const ROLE = 'arn:aws:iam::123456789012:role/services/reporting';
  const rules = [rule({ who: { principal: ROLE } })];
  const signed = (principal: string | null): Identity => ({ claims: {}, principal });

  it('holds for that role, whatever its path, and lets it do what the rule says', () => {
    expect(mayAccess(rules, signed('arn:aws:iam::123456789012:role/reporting'), 'read', 'finance/1')).toBe(true);
    expect(mayAccess(rules, signed('arn:aws:iam::123456789012:role/reporting'), 'read', 'hr/1')).toBe(false);
    expect(mayAccess(rules, signed('arn:aws:iam::123456789012:role/reporting'), 'list', 'finance/')).toBe(false);
  });

  it.each([
    'arn:aws:iam::123456789012:role/reporting2',
    'arn:aws:iam::123456789012:role/services',
    'arn:aws:iam::999999999999:role/reporting',
    'arn:aws:iam::123456789012:user/reporting',
    'arn:aws-cn:iam::123456789012:role/reporting',
    null,
  ])('does not hold for %s', (principal) => {
    expect(mayAccess(rules, signed(principal), 'read', 'finance/1')).toBe(false);
  });

  it('holds for no token, whatever it claims; and a rule for claims for no signature', () => {
    expect(mayAccess(rules, by({ principal: ROLE, sub: ROLE, userArn: ROLE }), 'read', 'finance/1')).toBe(false);
    expect(mayAccess([rule()], signed('arn:aws:iam::123456789012:role/finance'), 'read', 'finance/1')).toBe(false);
  });
});
