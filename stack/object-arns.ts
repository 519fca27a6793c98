/** Object keys as resources of a bucket policy. */
import { type KeyPattern, overlaps } from '../src/policy/certain.ts';
import { sub, type Text } from './cloudformation.ts';

/** What surely means the same in a key, in a policy's JSON and in Serverless's and CloudFormation's own languages. */
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

/**
 * IAM's documentation once said that `*` does not cross the colons of an ARN, and now that it does at the end of one; whether it does in the
 * middle of an object's key is unverified. Keys with up to so many colons are written out.
 */
const COLONS = 3;

/** ARNs that match no key but the pattern's own, for a denial about them; none where it cannot be said. */
export function exactly(bucketArn: string, keys: KeyPattern): Text[] {
  return PLAIN.test(keys.prefix + keys.suffix) ? written(bucketArn, keys) : [];
}

/** ARNs that match all of the pattern's keys, and more of them where they cannot be told, for a denial about all others. */
export function including(bucketArn: string, { prefix, suffix }: KeyPattern): Text[] {
  const begin = PLAIN.exec(prefix) ? prefix : leading(prefix);
  const whole = begin === prefix && PLAIN.test(suffix);
  return written(bucketArn, whole ? { prefix, suffix } : { prefix: begin, suffix: '' });
}

/** With colons between prefix and suffix, and with the keys in which the two overlap. */
function written(bucketArn: string, { prefix, suffix }: KeyPattern): Text[] {
  if (suffix === '') return [sub(`${bucketArn}/${escaped(prefix)}*`)];
  const gaps = Array.from({ length: COLONS + 1 }, (_, colons) => Array.from({ length: colons + 1 }, () => '*').join(':'));
  const keys = [...gaps.map((gap) => `${escaped(prefix)}${gap}${escaped(suffix)}`), ...overlaps({ prefix, suffix }).map(escaped)];
  return keys.map((key) => sub(`${bucketArn}/${key}`));
}

/** The characters that mean something in a resource, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html writes them; `!` keeps Fn::Sub from them. */
function escaped(key: string): string {
  return key.replace(/[*?$]/g, (character) => `\${!${character}}`);
}

/** All before the first character that is not plain. */
function leading(text: string): string {
  return /^[\x20-\x5b\x5d-\x7e]*/.exec(text)?.[0] ?? '';
}
