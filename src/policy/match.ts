/** Which rule an object falls under. Pure: facts that cost a request are asked for only when a rule turns on them. */
import type { Decryption, Encryption, Match, Policy } from './schema.ts';

/** What is known of an object. `contentType` and `tags` are absent until somebody looked. */
export interface ObjectFacts {
  key: string;
  /** Bytes. */
  size: number;
  contentType?: string;
  tags?: Record<string, string>;
}

/** A fact that S3 must be asked for: one HeadObject or one GetObjectTagging. */
export type CostlyFact = 'contentType' | 'tags';

export type Decision =
  /** `rule` counts from 0; `default` when none matched. */
  { action: 'encrypt'; rule: number | 'default'; encryption: Encryption; decrypt?: Decryption } | { action: 'look-up'; fact: CostlyFact };

/**
 * The first rule that matches wins. A rule that could match but for an unknown fact asks for that fact, since what
 * stands below it may not win before it is known.
 */
export function matchPolicy(policy: Policy, facts: ObjectFacts): Decision {
  for (const [index, rule] of policy.rules.entries()) {
    const verdict = judge(rule.match, facts);
    if (verdict === true) return { action: 'encrypt', rule: index, ...chosen(rule) };
    if (verdict !== false) return { action: 'look-up', fact: verdict };
  }
  return { action: 'encrypt', rule: 'default', ...chosen(policy.default) };
}

function chosen({ encryption, decrypt }: Policy['default']): { encryption: Encryption; decrypt?: Decryption } {
  return { encryption, ...(decrypt === undefined ? {} : { decrypt }) };
}

/** Whether a rule matches, or the fact that it turns on: nothing that is known speaks against it. */
export function judge(match: Match, facts: ObjectFacts): boolean | CostlyFact {
  const unknown: CostlyFact[] = [];
  if (match.prefix !== undefined && !facts.key.startsWith(match.prefix)) return false;
  if (match.suffix !== undefined && !facts.key.endsWith(match.suffix)) return false;
  if (match.size?.atLeast !== undefined && facts.size < match.size.atLeast) return false;
  if (match.size?.below !== undefined && facts.size >= match.size.below) return false;
  if (match.contentType !== undefined) {
    if (facts.contentType === undefined) unknown.push('contentType');
    else if (!mediaTypeMatches(match.contentType, facts.contentType)) return false;
  }
  if (match.tags !== undefined) {
    const { tags } = facts;
    if (tags === undefined) unknown.push('tags');
    else if (!Object.entries(match.tags).every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value)) return false;
  }
  return unknown[0] ?? true;
}

/** Media types compare without case and without parameters: https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 */
function mediaTypeMatches(pattern: string, contentType: string): boolean {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  return pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}
