/** The encryption modes behind one door. Pure: parameters in, parameters out. */
import { cseAes, cseKms, isClientSide } from './client-side.ts';
import { dsseKms } from './dsse-kms.ts';
import type {
  EncryptionAnswer,
  EncryptionDescription,
  EncryptionMode,
  KeyParameters,
  ModeAtS3,
  ResolvedEncryption,
  WriteParameters,
} from './encryption.ts';
import { sseC } from './sse-c.ts';
import { sseKms } from './sse-kms.ts';
import { sseS3 } from './sse-s3.ts';

export { answeredEncryption } from './answer.ts';
export { type ClientSideMode, codedAs, codedMode, isClientSide, isClientSideMode } from './client-side.ts';
export {
  type CustomerKey,
  type EncryptionAnswer,
  type EncryptionDescription,
  type ResolvedEncryption,
  type SecretKey,
  secretKey,
} from './encryption.ts';

const MODES: { [Mode in EncryptionMode]: ModeAtS3<Mode> } = {
  'sse-s3': sseS3,
  'sse-kms': sseKms,
  'dsse-kms': dsseKms,
  'sse-c': sseC,
  'cse-kms': cseKms,
  'cse-aes': cseAes,
};

/** What CopyObject and CreateMultipartUpload must say. */
export function writeParameters(encryption: ResolvedEncryption): WriteParameters {
  return modeOf(encryption).writeParameters(encryption);
}

/** What reads and parts must say: the customer key for SSE-C, nothing otherwise. */
export function keyParameters(encryption: ResolvedEncryption): KeyParameters {
  return modeOf(encryption).keyParameters(encryption);
}

export function describeEncryption(encryption: ResolvedEncryption): EncryptionDescription {
  return modeOf(encryption).describe(encryption);
}

/** The KMS key that S3 is told to use; `undefined`: none. */
export function keyArnAtS3(encryption: ResolvedEncryption): string | undefined {
  const stored = isClientSide(encryption) ? encryption.stored : encryption;
  return 'keyArn' in stored ? stored.keyArn : undefined;
}

/**
 * Compares S3's answer with what was asked, in everything it carries.
 * @param unsaid what this kind of answer may leave out
 * @returns one sentence a difference; empty when S3 did exactly what was asked. An answer silent about encryption differs.
 */
export function differences(
  encryption: ResolvedEncryption,
  answer: EncryptionAnswer,
  unsaid: readonly (keyof EncryptionAnswer)[] = [],
): string[] {
  const expected = modeOf(encryption).expectedAnswer(encryption);
  const found: string[] = [];
  for (const member of ANSWER_MEMBERS) {
    if (answer[member] === undefined && unsaid.includes(member)) continue;
    // S3 sends the Bucket Key header only when it is on.
    const asked = member === 'BucketKeyEnabled' ? (expected[member] ?? false) : expected[member];
    const told = member === 'BucketKeyEnabled' ? (answer[member] ?? false) : answer[member];
    if (asked === told) continue;
    // The digest of a key that a person chose could be tried out: it is compared and never shown.
    if (member === 'SSECustomerKeyMD5')
      found.push(`${member}: ${told === undefined ? 'the answer says none' : 'not that of the key asked for'}`);
    else found.push(`${member}: asked for ${asked ?? 'none'}, the answer says ${told ?? 'none'}`);
  }
  return found;
}

const ANSWER_MEMBERS = [
  'ServerSideEncryption',
  'SSEKMSKeyId',
  'BucketKeyEnabled',
  'SSECustomerAlgorithm',
  'SSECustomerKeyMD5',
] as const satisfies (keyof EncryptionAnswer)[];

function modeOf<Mode extends EncryptionMode>(encryption: ResolvedEncryption<Mode>): ModeAtS3<Mode> {
  return MODES[(encryption as { mode: Mode }).mode];
}
