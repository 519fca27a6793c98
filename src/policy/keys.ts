/** Which KMS keys a policy names: roles and bucket policies are built from it at packaging. */
import type { Policy } from './schema.ts';

/** Full ARNs of the keys beside the stack's own and `aws/s3`, each once, in order of appearance. */
export function namedKeyArns(policy: Policy): string[] {
  const encryptions = [...policy.rules.map((rule) => rule.encryption), policy.default.encryption];
  const arns = encryptions.flatMap((encryption) => ('key' in encryption && encryption.key?.startsWith('arn:') ? [encryption.key] : []));
  return [...new Set(arns)];
}
