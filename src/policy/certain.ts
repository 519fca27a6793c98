/**
 * What can be said of an object's encryption by its key alone: what a bucket policy can hold writers to. Pure.
 * A bucket policy sees an object's key and the encryption headers of a write; size, content type and tags it does not see.
 */
import { encryptionAtS3 } from './at-s3.ts';
import type { Encryption, Match, Policy, ServerSideMode } from './schema.ts';

/** Keys that begin with `prefix` and end with `suffix`; the two may overlap, as in matchPolicy. */
export interface KeyPattern {
  prefix: string;
  suffix: string;
}

/** An encryption as a write's headers tell it: without Bucket Key, which no condition key shows. */
export interface AskedEncryption {
  mode: ServerSideMode;
  /** As the policy names it; absent: the stack's own key, or a mode without one. */
  key?: string;
}

export interface KeyCertainty {
  /** All that any object can get. */
  anywhere: AskedEncryption[];
  /** One entry for each rule with a prefix or suffix: what objects under such keys can get, and nothing else. One encryption: it is certain. */
  within: { rule: number; keys: KeyPattern; encryptions: AskedEncryption[] }[];
  /** What objects under all other keys can get. */
  elsewhere: AskedEncryption[];
}

/** A key that is in several entries of `within` gets an encryption that all of them have. */
export function certainByKey(policy: Policy): KeyCertainty {
  const { rules, default: fallback } = policy;
  const patterns = rules.map(({ match }) => patternOf(match));
  const within = rules.flatMap(({ match }, rule) => {
    const keys = patternOf(match);
    if (matchesEveryKey(keys)) return [];
    return [{ rule, keys, encryptions: possibleUnder(keys) }];
  });
  return {
    anywhere: distinct([...rules.map((rule) => rule.encryption), fallback.encryption]),
    within,
    elsewhere: distinct([
      ...rules.filter((_, rule) => matchesEveryKey(patterns[rule] ?? EVERY_KEY)).map((rule) => rule.encryption),
      fallback.encryption,
    ]),
  };

  /** Rules in order, until one takes every key that is left. */
  function possibleUnder(keys: KeyPattern): AskedEncryption[] {
    const possible: Encryption[] = [];
    for (const { match, encryption } of rules) {
      if (!intersect(keys, patternOf(match))) continue;
      possible.push(encryption);
      if (turnsOnKeyAlone(match) && contains(patternOf(match), keys)) return distinct(possible);
    }
    return distinct([...possible, fallback.encryption]);
  }
}

/** @returns keys shorter than prefix and suffix together that match all the same: the two overlap in them */
export function overlaps({ prefix, suffix }: KeyPattern): string[] {
  const longest = Math.min(prefix.length, suffix.length);
  return Array.from({ length: longest }, (_, index) => index + 1)
    .filter((length) => prefix.endsWith(suffix.slice(0, length)))
    .map((length) => prefix + suffix.slice(length));
}

const EVERY_KEY: KeyPattern = { prefix: '', suffix: '' };

function patternOf({ prefix = '', suffix = '' }: Match): KeyPattern {
  return { prefix, suffix };
}

function matchesEveryKey({ prefix, suffix }: KeyPattern): boolean {
  return prefix === '' && suffix === '';
}

function turnsOnKeyAlone({ size, contentType, tags }: Match): boolean {
  return size === undefined && contentType === undefined && tags === undefined;
}

/** Whether some key matches both: long enough ones do unless the beginnings or the ends contradict each other. */
function intersect(a: KeyPattern, b: KeyPattern): boolean {
  const begin = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  return begin && (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix));
}

/** Whether every key of `inner` matches `outer` too. */
function contains(outer: KeyPattern, inner: KeyPattern): boolean {
  return inner.prefix.startsWith(outer.prefix) && inner.suffix.endsWith(outer.suffix);
}

function distinct(encryptions: Encryption[]): AskedEncryption[] {
  const asked = encryptions.map(encryptionAtS3).map(
    (encryption): AskedEncryption => ({
      mode: encryption.mode,
      ...('key' in encryption && encryption.key !== undefined ? { key: encryption.key } : {}),
    }),
  );
  return [...new Map(asked.map((encryption) => [`${encryption.mode} ${encryption.key ?? ''}`, encryption])).values()];
}
