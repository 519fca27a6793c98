/** Which keys a policy names: roles, bucket policies and key policies are built from it at packaging. */
import { encryptionAtS3 } from './at-s3.ts';
import type { Encryption, EncryptionMode, Policy } from './schema.ts';

/** Full ARNs of the keys under which S3 may encrypt new objects, beside the stack's own and `aws/s3`; each once, in order of appearance. */
export function encryptKeyArns(policy: Policy): string[] {
  return arnsOf(encryptionsOf(policy).map(encryptionAtS3));
}

/** Full ARNs of the keys under which S3 opens objects, beside the stack's own and `aws/s3`: those of today's rules, then the former ones. */
export function decryptKeyArns(policy: Policy): string[] {
  return [...new Set([...encryptKeyArns(policy), ...policy.formerKeys])];
}

/** Full ARNs of the keys under which objects may be encrypted before S3 sees them, beside the stack's own. */
export function sealingKeyArns(policy: Policy): string[] {
  return arnsOf(encryptionsOf(policy).filter(({ mode }) => mode === 'cse-kms'));
}

/** Full ARNs of the keys that open such objects, beside the stack's own: those of today's rules, then the former ones. */
export function openingKeyArns(policy: Policy): string[] {
  return [...new Set([...sealingKeyArns(policy), ...policy.formerKeys])];
}

/** Whether S3 encrypts under the stack's own key for a rule or the default. */
export function namesStackKey(policy: Policy): boolean {
  return encryptionsOf(policy)
    .map(encryptionAtS3)
    .some((encryption) => (encryption.mode === 'sse-kms' || encryption.mode === 'dsse-kms') && encryption.key === undefined);
}

/** Whether a rule or the default has data keys made under the stack's own key. */
export function sealsUnderStackKey(policy: Policy): boolean {
  return encryptionsOf(policy).some((encryption) => encryption.mode === 'cse-kms' && encryption.key === undefined);
}

/** Whether a rule or the default decrypts sources first. */
export function decryptsSources({ rules, default: fallback }: Policy): boolean {
  return [...rules, fallback].some(({ decrypt }) => decrypt !== undefined);
}

/** Full ARNs of the keys that such sources may be under. */
export function sourceKeyArns(policy: Policy): string[] {
  return decryptsSources(policy) ? [...new Set(policy.s3EncryptionClient?.keys)] : [];
}

/** Whether the bytes of some objects pass through the function. */
export function streams(policy: Policy): boolean {
  return namesClientSide(policy) || decryptsSources(policy);
}

/** Whether a rule or the default encrypts before S3 does. */
export function namesClientSide(policy: Policy): boolean {
  return namesMode(policy, 'cse-kms') || namesMode(policy, 'cse-aes');
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
  return [...new Set([...decryptKeyArns(policy), ...openingKeyArns(policy), ...sourceKeyArns(policy)])].filter(
    (arn) => arn.split(':')[3] !== region,
  );
}

function arnsOf(encryptions: Encryption[]): string[] {
  return [
    ...new Set(encryptions.flatMap((encryption) => ('key' in encryption && encryption.key?.startsWith('arn:') ? [encryption.key] : []))),
  ];
}

function encryptionsOf(policy: Policy): Encryption[] {
  return [...policy.rules.map((rule) => rule.encryption), policy.default.encryption];
}
