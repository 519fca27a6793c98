/**
 * The data key of an object: unwrapped by KMS or under our own wrapping key.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/materials/s3-kms-keyring.md
 */
import { createDecipheriv } from 'node:crypto';
import { DecryptCommand, type DecryptCommandOutput, type KMSClient } from '@aws-sdk/client-kms';
import { SealdropError } from '../errors.ts';
import { type ErrorNames, translateAwsError } from '../translate-aws-error.ts';
import type { Envelope, Suite } from './envelope.ts';
import { refusal } from './refusal.ts';

export interface DataKeyDeps {
  kms: KMSClient;
  /** The only KMS keys that may open it, full ARNs. */
  kmsKeyArns: string[];
  /** 32 bytes, which stay the caller's; null: no key for AES wrapping is configured. */
  wrappingKey: (() => Promise<Buffer>) | null;
  /** For the calls of KMS. */
  signal?: AbortSignal;
}

const KEY_BYTES = 32;

/** Its entry of the encryption context binds the content encryption, so that nobody makes CBC of GCM. */
const SUITE_IN_CONTEXT = 'aws:x-amz-cek-alg';

/** Wrapped: iv, key, tag; the official clients' AES keyrings agree on it, the specification is silent. */
const GCM_IV_BYTES = 12;
const GCM_TAG_BYTES = 16;

/** https://www.rfc-editor.org/rfc/rfc3394#section-2.2.3.1 */
const KEY_WRAP_IV = Buffer.alloc(8, 0xa6);

/** A key of 32 bytes and a block of padding. */
const ECB_WRAPPED_BYTES = 48;

const KMS_ERRORS: ErrorNames = {
  IncorrectKeyException: ['source-not-decryptable', 'the data key is wrapped under another KMS key'],
  InvalidCiphertextException: ['source-not-decryptable', 'KMS does not open the data key with this encryption context'],
  DisabledException: ['kms-key-disabled', 'the KMS key is disabled'],
  KMSInvalidStateException: ['kms-key-pending-deletion', 'the KMS key is pending deletion'],
  NotFoundException: ['kms-key-not-found', 'the KMS key does not exist'],
  AccessDeniedException: ['kms-key-denied', 'the KMS key may not be used to decrypt'],
};

/** Failures of one key that another key of the list may not have. */
const OF_THIS_KEY_ONLY = [
  'IncorrectKeyException',
  'DisabledException',
  'KMSInvalidStateException',
  'NotFoundException',
  'AccessDeniedException',
];

/** @returns 32 bytes, the caller's to zero */
export async function unwrapDataKey(envelope: Envelope, deps: DataKeyDeps): Promise<Buffer> {
  const key = await unwrap(envelope, deps);
  if (key.byteLength === KEY_BYTES) return key;
  key.fill(0);
  throw refusal(`its data key has ${key.byteLength} bytes instead of ${KEY_BYTES}`);
}

async function unwrap(envelope: Envelope, deps: DataKeyDeps): Promise<Buffer> {
  const { wrapping, wrappedKey, content, description } = envelope;
  switch (wrapping) {
    case 'kms+context':
      if (description[SUITE_IN_CONTEXT] !== content.suite) throw refusal(`its encryption context does not name ${content.suite}`);
      return underKms(wrappedKey, description, deps);
    case 'kms':
      // Its clients never wrote this entry: what kms+context bound would pass for what nothing binds.
      // https://nvd.nist.gov/vuln/detail/CVE-2020-8912
      if (Object.hasOwn(description, SUITE_IN_CONTEXT))
        throw refusal('its encryption context names a content encryption: its data key was wrapped by kms+context, and not by kms');
      return underKms(wrappedKey, description, deps);
    case 'AES/GCM':
      return underAes(deps, (key) => underGcm(key, wrappedKey, content.suite));
    case 'AESWrap':
      return underAes(deps, (key) => {
        const decipher = createDecipheriv('id-aes256-wrap', key, KEY_WRAP_IV);
        return joined(decipher.update(wrappedKey), decipher.final());
      });
    case 'AES':
      if (wrappedKey.byteLength !== ECB_WRAPPED_BYTES)
        throw refusal(`its wrapped data key has ${wrappedKey.byteLength} bytes instead of ${ECB_WRAPPED_BYTES}`);
      return underAes(deps, (key) => underEcb(key, wrappedKey));
    default:
      return wrapping satisfies never;
  }
}

/** Metadata does not name the KMS key, and asking without one would let the object choose it: each allowed key is asked by name. */
async function underKms(wrappedKey: Buffer, context: Record<string, string>, deps: DataKeyDeps): Promise<Buffer> {
  const failures: SealdropError[] = [];
  for (const arn of deps.kmsKeyArns) {
    let answer: DecryptCommandOutput;
    try {
      answer = await deps.kms.send(
        new DecryptCommand({ KeyId: arn, CiphertextBlob: wrappedKey, EncryptionContext: context }),
        deps.signal === undefined ? {} : { abortSignal: deps.signal },
      );
    } catch (error) {
      const failure = translateAwsError(error, KMS_ERRORS);
      if (!(error instanceof Error && OF_THIS_KEY_ONLY.includes(error.name))) throw failure;
      failures.push(failure);
      continue;
    }
    if (answer.Plaintext === undefined) throw refusal('KMS answered without a data key');
    const { buffer, byteOffset, byteLength } = answer.Plaintext;
    const key = Buffer.from(buffer, byteOffset, byteLength);
    if (answer.KeyId === arn) return key;
    key.fill(0);
    throw refusal('KMS opened its data key under another key than the one asked for');
  }
  // A key that could not be asked may have been the right one.
  throw (
    failures.find(({ code }) => code !== 'source-not-decryptable') ??
    failures[0] ??
    refusal('its data key is under KMS, and no KMS key is allowed')
  );
}

async function underAes({ wrappingKey }: DataKeyDeps, open: (key: Buffer) => Buffer): Promise<Buffer> {
  if (wrappingKey === null)
    throw new SealdropError('wrapping-key-missing', 'its data key is wrapped under AES, and no wrapping key is configured');
  const key = await wrappingKey();
  if (key.byteLength !== KEY_BYTES)
    throw new SealdropError('wrapping-key-invalid', `the wrapping key has ${key.byteLength} bytes instead of ${KEY_BYTES}`);
  try {
    return open(key);
  } catch (error) {
    throw refusal('the wrapping key does not open its data key: it is under another key, or somebody changed it', error);
  }
}

/** The suite is bound as additional data, by the name that metadata has for it. */
function underGcm(key: Buffer, wrapped: Buffer, suite: Suite): Buffer {
  if (wrapped.byteLength !== GCM_IV_BYTES + KEY_BYTES + GCM_TAG_BYTES) throw new Error(`${wrapped.byteLength} bytes`);
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, GCM_IV_BYTES), { authTagLength: GCM_TAG_BYTES });
  decipher.setAAD(Buffer.from(suite));
  decipher.setAuthTag(wrapped.subarray(-GCM_TAG_BYTES));
  const opened = decipher.update(wrapped.subarray(GCM_IV_BYTES, -GCM_TAG_BYTES));
  try {
    decipher.final();
  } catch (error) {
    opened.fill(0);
    throw error;
  }
  return opened;
}

/** Nothing but padding tells a wrong key: what passes for it by chance and what does not fail alike, so as to tell an attacker nothing. */
function underEcb(key: Buffer, wrapped: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  const opened = joined(decipher.update(wrapped), decipher.final());
  if (opened.byteLength === KEY_BYTES) return opened;
  opened.fill(0);
  throw new Error('not a data key');
}

function joined(first: Buffer, last: Buffer): Buffer {
  const whole = Buffer.concat([first, last]);
  first.fill(0);
  last.fill(0);
  return whole;
}
