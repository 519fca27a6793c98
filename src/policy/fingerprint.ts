/** A short name for what a policy says about encryption, kept in object records so that drift can be told. */
import { createHash } from 'node:crypto';
import type { Policy } from './schema.ts';

/** 16 hex digits over rules and default; access rules do not change how objects are stored. */
export function policyFingerprint(policy: Policy): string {
  const { rules, default: fallback } = policy;
  return createHash('sha256')
    .update(JSON.stringify({ rules, default: fallback }))
    .digest('hex')
    .slice(0, 16);
}
