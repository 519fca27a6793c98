/** Which mode and which key, as `sealdrop encrypt` and `sealdrop decrypt` are asked. */
import type { EncryptionMode } from '../../src/policy/schema.ts';

/** The AWS managed key for S3, which encrypts at S3 alone. */
export const MANAGED_KEY = 'aws/s3';

/** S3 and messages name keys so: another spelling could not be compared with an answer. */
const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+$/;

/** What is no name of a secret in any likelihood, and a key in all: it must not be shown again. */
const KEY_ITSELF = /^(?:[0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$/i;

const NEEDS: Record<EncryptionMode, 'kms-key' | 'secret' | null> = {
  'sse-s3': null,
  'sse-kms': 'kms-key',
  'dsse-kms': 'kms-key',
  'sse-c': 'secret',
  'cse-kms': 'kms-key',
  'cse-aes': 'secret',
};

export const MODES = Object.keys(NEEDS) as EncryptionMode[];

/** The option that names a mode's key; `null`: S3 has its own. */
export const keyOptionOf = (mode: EncryptionMode): 'kms-key' | 'secret' | null => NEEDS[mode];

/** A mode with the name of its key. */
export type Choice =
  | { mode: 'sse-s3' }
  | { mode: 'sse-kms' | 'dsse-kms'; kmsKey: string }
  | { mode: 'cse-kms'; kmsKey: string }
  | { mode: 'sse-c' | 'cse-aes'; secret: string };

interface Given {
  mode?: string | undefined;
  kmsKey?: string | undefined;
  secret?: string | undefined;
}

/** @throws an error that names the option */
export function readMode(said: string | undefined): EncryptionMode | null {
  if (said === undefined) return null;
  const mode = MODES.find((known) => known === said);
  if (mode === undefined) throw new Error(`--mode ${said}: one of ${MODES.join(', ')}`);
  return mode;
}

/** @returns the ARN, or `aws/s3` @throws an error that names the option */
export function readKmsKey(said: string): string {
  if (said === MANAGED_KEY || KEY_ARN.test(said)) return said;
  throw new Error(`--kms-key ${said}: a full KMS key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) rather than an alias or a bare id`);
}

/** @throws an error that names the option, and does not show what may be a key */
export function readSecret(said: string | undefined): string | null {
  if (said === undefined) return null;
  if (KEY_ITSELF.test(said)) throw new Error('--secret: that looks like a key itself; say the name or the ARN of the secret that holds it');
  if (said === '') throw new Error('--secret: which one? Say the name or the ARN of a secret');
  return said;
}

/** @returns the Region of a KMS key's ARN; `null`: it is no ARN of a key */
export const regionOfKey = (keyArn: string): string | null => KEY_ARN.exec(keyArn)?.[1] ?? null;

/** What encrypts: said, or told from the key that is said. @throws an error that says what is missing or too much */
export function chooseMode(given: Given): Choice {
  const { kmsKey } = given;
  const secret = readSecret(given.secret);
  const mode = readMode(given.mode) ?? impliedMode(kmsKey, secret);
  const needs = NEEDS[mode];
  if (kmsKey !== undefined && needs !== 'kms-key') throw new Error(`--kms-key: ${mode} takes none`);
  if (secret !== null && needs !== 'secret') throw new Error(`--secret: ${mode} takes none`);
  switch (mode) {
    case 'sse-s3':
      return { mode };
    case 'sse-kms':
    case 'dsse-kms':
      if (kmsKey === undefined) throw new Error(`--mode ${mode}: say --kms-key ARN, or --kms-key ${MANAGED_KEY}`);
      return { mode, kmsKey: readKmsKey(kmsKey) };
    case 'cse-kms':
      if (kmsKey === undefined) throw new Error(`--mode ${mode}: say --kms-key ARN`);
      if (kmsKey === MANAGED_KEY)
        throw new Error(`--kms-key ${MANAGED_KEY}: it encrypts at S3 alone; say --mode sse-kms, or the ARN of a key of your own`);
      return { mode, kmsKey: readKmsKey(kmsKey) };
    case 'sse-c':
    case 'cse-aes':
      if (secret === null) throw new Error(`--mode ${mode}: say --secret NAME-OR-ARN, a secret that holds a 256-bit key`);
      return { mode, secret };
    default:
      return mode satisfies never;
  }
}

function impliedMode(kmsKey: string | undefined, secret: string | null): 'cse-kms' | 'cse-aes' {
  if (kmsKey !== undefined && secret !== null) throw new Error('--kms-key and --secret: say one of them');
  if (kmsKey !== undefined) return 'cse-kms';
  if (secret !== null) return 'cse-aes';
  throw new Error('Under which key? Say --kms-key ARN (cse-kms), --secret NAME-OR-ARN (cse-aes), or --mode with what it takes');
}
