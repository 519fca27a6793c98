/** A short name for what a policy says about encryption, kept in object records so that drift can be told. */
import { createHash } from 'node:crypto';
import type { Policy } from './schema.ts';

/** 16 hex digits over rules and default; access rules do not change how objects are stored. */
export function policyFingerprint(policy: Policy): string {
  const { rules, default: fallback } = policy;
  return createHash('sha256')
    .update(JSON.stringify({ rules, default: fallback }, inOneOrder))
    .digest('hex')
    .slice(0, 16);
}

/** The order of words is nothing that a policy says; that of rules is. */
function inOneOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
