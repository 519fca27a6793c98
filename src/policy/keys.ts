/** Which keys a policy names: roles, bucket policies and key policies are built from it at packaging. */
import type { Encryption, EncryptionMode, Policy } from './schema.ts';

/** Full ARNs of the keys that new objects may get, beside the stack's own and `aws/s3`; each once, in order of appearance. */
export function encryptKeyArns(policy: Policy): string[] {
  const arns = encryptionsOf(policy).flatMap((encryption) =>
    'key' in encryption && encryption.key?.startsWith('arn:') ? [encryption.key] : [],
  );
  return [...new Set(arns)];
}

/** Full ARNs of the keys that open objects, beside the stack's own and `aws/s3`: those of today's rules, then the former ones. */
export function decryptKeyArns(policy: Policy): string[] {
  return [...new Set([...encryptKeyArns(policy), ...policy.formerKeys])];
}

/** Whether a rule or the default asks for this mode. */
export function namesMode(policy: Policy, mode: EncryptionMode): boolean {
  return encryptionsOf(policy).some((encryption) => encryption.mode === mode);
}

/** Whether a rule or the default asks for `aws/s3`, the AWS managed key. */
export function namesManagedKey(policy: Policy): boolean {
  return encryptionsOf(policy).some((encryption) => 'key' in encryption && encryption.key === 'aws/s3');
}

/**
 * Full ARNs, former ones too, that lie in another Region than the target bucket: S3 cannot use them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
 */
export function keysOutside(policy: Policy, region: string): string[] {
  return decryptKeyArns(policy).filter((arn) => arn.split(':')[3] !== region);
}

function encryptionsOf(policy: Policy): Encryption[] {
  return [...policy.rules.map((rule) => rule.encryption), policy.default.encryption];
}
