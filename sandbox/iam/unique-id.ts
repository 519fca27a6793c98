/** The unique ids that IAM gives to users and roles; here derived from the ARN, so that they stay the same. */
import { createHash } from 'node:crypto';

/** `AROA…` of a role. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
export function roleIdOf(roleArn: string): string {
  return `AROA${suffixOf(roleArn)}`;
}

/** `AIDA…` for a user, `AROA…:SESSION` for an assumed role. */
export function userIdOf(arn: string, roleArn: string | null): string {
  return roleArn === null ? `AIDA${suffixOf(arn)}` : `${roleIdOf(roleArn)}:${arn.slice(arn.lastIndexOf('/') + 1)}`;
}

function suffixOf(arn: string): string {
  const digest = createHash('sha256').update(arn).digest();
  return Array.from(digest.subarray(0, 17), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('');
}
