import { describe, expect, it } from 'vitest';
import { mayAccess } from '../../src/http/access.ts';
import type { AccessAction, AccessRule } from '../../src/policy/schema.ts';

const rule = (changes: Partial<AccessRule> = {}): AccessRule => ({
  who: { claim: 'groups', has: 'finance' },
  may: ['read'],
  under: ['finance/'],
  ...changes,
});
const FINANCE = { sub: 'u', groups: ['finance'] };

describe('mayAccess', () => {
  it('allows what a rule says', () => {
    expect(mayAccess([rule()], FINANCE, 'read', 'finance/1')).toBe(true);
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
    expect(mayAccess([...rules], claims, action, key)).toBe(false);
  });

  it.each([
    ['a claim of one text', { groups: 'finance' }, 'groups'],
    ['one scope of several', { scope: 'openid finance email' }, 'scope'],
  ])('takes %s', (_what, claims, claim) => {
    expect(mayAccess([rule({ who: { claim, has: 'finance' } })], claims, 'read', 'finance/1')).toBe(true);
  });

  it('does not take half a scope', () => {
    expect(mayAccess([rule({ who: { claim: 'scope', has: 'finance' } })], { scope: 'openid finance.read' }, 'read', 'finance/1')).toBe(
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
      expect(mayAccess(rules, FINANCE, action, key)).toBe(false);
  });

  it("takes '' for every key", () => {
    expect(mayAccess([rule({ under: [''] })], FINANCE, 'read', 'anything/at/all')).toBe(true);
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
                ({ who, may, under }) => who.has === group && may[0] === action && key.slice(0, under[0]?.length) === under[0],
              );
              if (mayAccess([first, second], { groups: [group] }, action, key) !== expected)
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
