/** NAME=VALUE, said once for each. */

/** A header's name: https://www.rfc-editor.org/rfc/rfc9110#section-5.1 */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A header carries no more; S3 alone reads words of RFC 2047, and only of who writes them so. */
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** @returns names in lower case, as S3 keeps them @throws an error that names the pair */
export function readMetadata(given: readonly string[]): Record<string, string> {
  return readPairs('metadata', given, (name, value) => {
    if (!HEADER_NAME.test(name)) throw new Error(`--metadata ${name}: no name of a header`);
    if (!HEADER_VALUE.test(value)) throw new Error(`--metadata ${name}: a header carries visible ASCII; encode the value`);
    return name.toLowerCase();
  });
}

/** @throws an error that names the pair */
export function readTags(given: readonly string[]): Record<string, string> {
  return readPairs('tag', given, (name) => name);
}

function readPairs(option: string, given: readonly string[], nameOf: (name: string, value: string) => string): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of given) {
    const [, said, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (said === undefined || value === undefined) throw new Error(`--${option} ${pair}: it is said as NAME=VALUE`);
    const name = nameOf(said, value);
    if (pairs.has(name)) throw new Error(`--${option} ${name} is said twice`);
    pairs.set(name, value);
  }
  return Object.fromEntries(pairs);
}
