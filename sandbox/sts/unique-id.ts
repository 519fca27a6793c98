/** The unique ids that IAM gives to users and roles; here derived from the ARN, so that they stay the same. */
import { createHash } from 'node:crypto';
import type { Principal } from '../service.ts';

/** `AIDA…` for a user, `AROA…:SESSION` for an assumed role: what STS calls `UserId` and SQS `SenderId`. */
export function uniqueIdOf({ arn, roleArn }: Principal): string {
  if (roleArn === null) return `AIDA${suffixOf(arn)}`;
  return `AROA${suffixOf(roleArn)}:${arn.slice(arn.lastIndexOf('/') + 1)}`;
}

function suffixOf(arn: string): string {
  const digest = createHash('sha256').update(arn).digest();
  return Array.from(digest.subarray(0, 17), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('');
}
