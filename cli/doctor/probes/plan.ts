/** Which object makes the policy choose which of its encryptions. Pure. */
import { matchPolicy, type ObjectFacts } from '../../../src/policy/match.ts';
import type { Encryption, Match, Policy } from '../../../src/policy/schema.ts';

/** Larger objects are not sent only to look. */
export const MAX_PROBE_BYTES = 8 * 1024 * 1024;

const SOME_BYTES = 100;
const MARKER = 'sealdrop-doctor/';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A rule by its position, from 0. */
export type RuleName = number | 'default';

/** An object for which the policy's answer is this rule's. */
export interface Example {
  rule: RuleName;
  encryption: Encryption;
  facts: Required<ObjectFacts>;
}

export interface ProbePlan {
  /** One for each distinct encryption that some object of a fair size can get. */
  examples: Example[];
  /** Rules that no object can reach, since those above take everything that they match. */
  unreachable: number[];
  /** Encryptions that only objects above `MAX_PROBE_BYTES` get. */
  tooLarge: Example[];
}

/** @param id makes the probes' keys unique */
export function planProbes(policy: Policy, id: string): ProbePlan {
  const rules: { rule: RuleName; match: Match }[] = [
    ...policy.rules.map(({ match }, rule) => ({ rule, match })),
    { rule: 'default', match: {} },
  ];
  const found = rules.map(({ rule, match }) => ({ rule, example: exampleOf(policy, match, rule, id) }));
  const smallest = new Map<string, Example>();
  for (const { example } of found) {
    if (example === null) continue;
    const name = JSON.stringify(Object.entries(example.encryption).sort());
    const other = smallest.get(name);
    if (other === undefined || example.facts.size < other.facts.size) smallest.set(name, example);
  }
  const distinct = [...smallest.values()];
  return {
    examples: distinct.filter(({ facts }) => facts.size <= MAX_PROBE_BYTES),
    tooLarge: distinct.filter(({ facts }) => facts.size > MAX_PROBE_BYTES),
    // A default that nothing reaches is no mistake: the policy must have one.
    unreachable: found.flatMap(({ rule, example }) => (example === null && rule !== 'default' ? [rule] : [])),
  };
}

/** What a request that stores the example says of it beside its key. */
export function membersOf({ facts }: Example): { ContentType: string; Tagging?: string } {
  const Tagging = new URLSearchParams(facts.tags).toString();
  return { ContentType: facts.contentType, ...(Tagging !== '' && { Tagging }) };
}

/**
 * `null`: the rules above take everything that this one matches. The key, the type and the tags of the example fall under
 * as few other rules as those of any object of this rule do, so that only sizes must be searched, and of those one in
 * each interval between the sizes that rules name.
 */
function exampleOf(policy: Policy, match: Match, rule: RuleName, id: string): Example | null {
  const facts = { key: keyOf(policy, match, id), contentType: contentTypeOf(policy, match), tags: match.tags ?? {} };
  for (const size of sizesOf(policy, match)) {
    const decision = matchPolicy(policy, { ...facts, size });
    if (decision.action === 'encrypt' && decision.rule === rule)
      return { rule, encryption: decision.encryption, facts: { ...facts, size } };
  }
  return null;
}

/** Goes on after the prefix, and before the suffix, with what no longer prefix or suffix of a rule goes on with. */
function keyOf(policy: Policy, { prefix = '', suffix = '' }: Match, id: string): string {
  const after = policy.rules.flatMap(({ match }) => match.prefix?.[prefix.length] ?? []);
  const before = policy.rules.flatMap(({ match }) => match.suffix?.at(-suffix.length - 1) ?? []);
  const lead = after.includes(MARKER.charAt(0)) ? freeLetter(after) : '';
  return `${prefix}${lead}${MARKER}${id}${freeLetter(before)}${suffix}`;
}

function freeLetter(taken: readonly string[]): string {
  return [...LETTERS].find((letter) => !taken.includes(letter)) ?? LETTERS.charAt(0);
}

/** A type that no rule names falls only under those that take every type of this rule. */
function contentTypeOf(policy: Policy, { contentType }: Match): string {
  if (contentType !== undefined && !contentType.endsWith('/*')) return contentType;
  const named = policy.rules.map(({ match }) => match.contentType);
  for (let count = 0; ; count += 1) {
    const word = `x-sealdrop-doctor${count || ''}`;
    const type = contentType === undefined ? `${word}/probe` : contentType.replace('*', word);
    if (!named.some((other) => other === type || other === `${word}/*`)) return type;
  }
}

function sizesOf(policy: Policy, { size }: Match): number[] {
  const least = size?.atLeast ?? 0;
  const bounds = policy.rules.flatMap(({ match }) => [match.size?.atLeast, match.size?.below]);
  const inside = bounds
    .filter((bound) => bound !== undefined)
    .filter((bound) => bound > least && bound < (size?.below ?? Number.POSITIVE_INFINITY));
  // Bytes to compare, where the rule leaves room for them.
  return [least, ...inside.sort((a, b) => a - b)].flatMap((size) =>
    size + SOME_BYTES > MAX_PROBE_BYTES ? [size] : [size + SOME_BYTES, size],
  );
}
