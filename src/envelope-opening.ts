/** What opens objects that were encrypted before S3 saw them. */
import type { KMSClient } from '@aws-sdk/client-kms';
import { aesOpeningKeys, kmsOpeningKeys } from './envelope/index.ts';
import { SealdropError } from './errors.ts';
import type { SecretKeys } from './keys/secret-keys.ts';
import type { KnownEnvelope, Opening } from './read-envelope.ts';
import { createRecent } from './recent.ts';

/** A header is about a kilobyte. */
const MOST_KNOWN = 1_000;

/** @param kmsKeyArns the only KMS keys that are asked @param wrappingKeys absent: no secret is known that holds any */
export function createOpening(deps: { kms: KMSClient; kmsKeyArns: string[]; wrappingKeys?: SecretKeys }): Opening {
  const { kms, kmsKeyArns, wrappingKeys } = deps;
  const version = async () => {
    throw new SealdropError('wrapping-key-missing', 'the function was not told which secret holds the wrapping key');
  };
  const keys = { 'cse-kms': kmsOpeningKeys(kms, kmsKeyArns), 'cse-aes': aesOpeningKeys(wrappingKeys ?? { version }) };
  return { keysFor: (mode) => keys[mode], known: createRecent<KnownEnvelope>(MOST_KNOWN) };
}
