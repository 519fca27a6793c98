/** Which encryptions a policy may mean for an object of which some facts are not known. Pure. */
import { type CostlyFact, judge, type ObjectFacts } from './match.ts';
import type { Encryption, EncryptionMode, Policy } from './schema.ts';

export interface Possible {
  /** Of every rule that may be the first to match, in order; exactly one when nothing stands open. */
  encryptions: Encryption[];
  /** The facts that would rule some of them out; empty when nothing stands open. */
  open: CostlyFact[];
}

/**
 * Whatever the unknown facts are, what `matchPolicy` gives for them is among the encryptions. An SSE-C object's content
 * type, for one, cannot be known without its key.
 */
export function possibleEncryptions(policy: Policy, facts: ObjectFacts): Possible {
  const encryptions: Encryption[] = [];
  const open = new Set<CostlyFact>();
  for (const { match, encryption } of policy.rules) {
    const verdict = judge(match, facts);
    if (verdict === false) continue;
    encryptions.push(encryption);
    if (verdict === true) return { encryptions, open: [...open] };
    if (match.contentType !== undefined && facts.contentType === undefined) open.add('contentType');
    if (match.tags !== undefined && facts.tags === undefined) open.add('tags');
  }
  return { encryptions: [...encryptions, policy.default.encryption], open: [...open] };
}

/** The modes that objects with this key can have, whatever else is true of them. */
export function possibleModes(policy: Policy, key: string): Set<EncryptionMode> {
  const modes = new Set<EncryptionMode>();
  for (const { match, encryption } of policy.rules) {
    const { size, ...rest } = match;
    const verdict = judge(rest, { key, size: 0 });
    if (verdict === false) continue;
    modes.add(encryption.mode);
    if (verdict === true && size === undefined) return modes;
  }
  return modes.add(policy.default.encryption.mode);
}
