/** Who may do what, by the policy's access rules. Default deny. */
import type { AccessAction, AccessRule } from '../policy/schema.ts';

/** The claims of a verified token. */
export type Claims = Record<string, unknown>;

/** @param key the decoded key that S3 will see, or the prefix of a listing: a prefix is allowed only when all below it is */
export function mayAccess(rules: AccessRule[], claims: Claims, action: AccessAction, key: string): boolean {
  return rules.some((rule) => rule.may.includes(action) && holds(claims, rule.who) && rule.under.some((prefix) => key.startsWith(prefix)));
}

function holds(claims: Claims, { claim, has }: AccessRule['who']): boolean {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (Array.isArray(value)) return value.includes(has);
  // `scope` alone is a list in one string: https://www.rfc-editor.org/rfc/rfc8693#section-4.2
  if (typeof value === 'string') return claim === 'scope' ? value.split(' ').includes(has) : value === has;
  return false;
}
