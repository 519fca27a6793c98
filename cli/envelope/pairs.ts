/** Pairs of an encryption context: NAME=VALUE, said once for each. */

/** Of the Encryption SDK itself: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#encryption-context */
const RESERVED_PREFIX = 'aws-crypto-';

/** @param taken names that nobody may say here, and why @throws an error that names the pair */
export function readContext(given: readonly string[], taken: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of given) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined) throw new Error(`--context ${pair}: it is said as NAME=VALUE`);
    if (name.startsWith(RESERVED_PREFIX)) throw new Error(`--context ${name}: names in ${RESERVED_PREFIX} belong to the Encryption SDK`);
    const why = Object.hasOwn(taken, name) ? taken[name] : undefined;
    if (why !== undefined) throw new Error(`--context ${name}: ${why}`);
    if (pairs.has(name)) throw new Error(`--context ${name} is said twice`);
    pairs.set(name, value);
  }
  return Object.fromEntries(pairs);
}
