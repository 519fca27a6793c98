/** Who may do what, by the policy's access rules. Default deny. */

import { samePrincipal } from '../policy/principal.ts';
import type { AccessAction, AccessRule } from '../policy/schema.ts';

/** The claims of a verified token. */
export type Claims = Record<string, unknown>;

/** What is proven of a caller: the claims of a token, or an IAM principal. */
export interface Identity {
  /** None for a caller who signs with IAM credentials. */
  claims: Claims;
  /** The role or user behind a signature, as `iamPrincipal` names it; `null`: the caller brought a token. */
  principal: string | null;
}

/** @param key the decoded key that S3 will see, or the prefix of a listing: a prefix is allowed only when all below it is */
export function mayAccess(rules: AccessRule[], caller: Identity, action: AccessAction, key: string): boolean {
  return rules.some((rule) => rule.may.includes(action) && holds(caller, rule.who) && rule.under.some((prefix) => key.startsWith(prefix)));
}

function holds({ claims, principal }: Identity, who: AccessRule['who']): boolean {
  if ('principal' in who) return principal !== null && samePrincipal(who.principal, principal);
  const { claim, has } = who;
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (Array.isArray(value)) return value.includes(has);
  // `scope` alone is a list in one string: https://www.rfc-editor.org/rfc/rfc8693#section-4.2
  if (typeof value === 'string') return claim === 'scope' ? value.split(' ').includes(has) : value === has;
  return false;
}
