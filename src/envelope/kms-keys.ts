/** Data keys under KMS keys: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/use-kms-keyring.html */
import {
  getLocalCryptographicMaterialsCache,
  KmsKeyringNode,
  type KmsKeyringNodeInput,
  NodeCachingMaterialsManager,
  NodeDefaultCryptographicMaterialsManager,
  type NodeMaterialsManager,
} from '@aws-crypto/client-node';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { SealdropError } from '../errors.ts';
import { type ErrorNames, translateAwsError } from '../translate-aws-error.ts';
import type { OpeningKeys, SealingKeys } from './data-keys.ts';
import { COMMITMENT, SUITE } from './suite.ts';

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors */
const KMS_ERRORS: ErrorNames = {
  DisabledException: ['kms-key-disabled', 'the KMS key is disabled'],
  KMSInvalidStateException: ['kms-key-pending-deletion', 'the KMS key cannot be used'],
  NotFoundException: ['kms-key-not-found', 'the KMS key does not exist'],
  InvalidArnException: ['kms-key-not-found', 'the KMS key has no such ARN'],
  InvalidKeyUsageException: ['kms-key-not-found', 'the KMS key is not one for encryption'],
  AccessDeniedException: ['kms-key-denied', 'the KMS key may not be used'],
  KeyUnavailableException: ['service-unavailable', 'the KMS key is unavailable for a moment'],
  DependencyTimeoutException: ['service-unavailable', 'KMS timed out'],
  KMSInternalException: ['service-unavailable', 'KMS failed'],
  InvalidCiphertextException: ['ciphertext-invalid', 'the data key was not encrypted for this object'],
  IncorrectKeyException: ['ciphertext-invalid', 'the data key was not encrypted under the KMS key that it names'],
};

/** How far one data key may go, whichever limit comes first. */
export interface ReuseLimits {
  seconds: number;
  messages: number;
  bytes: number;
}

/** Contexts whose keys are kept at a time. */
const MOST_CACHED = 100;

/** @param keyArn of the KMS key under which data keys are made @param reuse `null`: every message has a data key of its own */
export function kmsSealingKeys(kms: KMSClient, keyArn: string, reuse: ReuseLimits | null): SealingKeys {
  const asking = askKms(kms);
  const keyring = new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider: () => asking.client });
  const manager: NodeMaterialsManager =
    reuse === null
      ? new NodeDefaultCryptographicMaterialsManager(keyring)
      : new NodeCachingMaterialsManager({
          backingMaterials: keyring,
          cache: getLocalCryptographicMaterialsCache(MOST_CACHED),
          maxAge: reuse.seconds * 1000,
          maxMessagesEncrypted: reuse.messages,
          maxBytesEncrypted: reuse.bytes,
        });
  return {
    toSeal: (encryptionContext, plaintextLength) =>
      manager
        .getEncryptionMaterials({
          suite: SUITE,
          encryptionContext,
          commitmentPolicy: COMMITMENT,
          ...(plaintextLength === undefined ? {} : { plaintextLength }),
        })
        .catch((error: unknown) => {
          throw translateAwsError(error, KMS_ERRORS);
        }),
  };
}

/** @param keyArns the only KMS keys that are asked to open anything */
export function kmsOpeningKeys(kms: KMSClient, keyArns: readonly string[]): OpeningKeys {
  return {
    async toOpen({ suite, context: encryptionContext, encryptedDataKeys }) {
      const known = encryptedDataKeys.filter(({ providerId, providerInfo }) => providerId === 'aws-kms' && keyArns.includes(providerInfo));
      if (known.length === 0) throw new SealdropError('ciphertext-invalid', 'the message is under no KMS key that may open it');
      const asking = askKms(kms);
      const keyring = new KmsKeyringNode({ keyIds: [...keyArns], clientProvider: () => asking.client });
      const manager = new NodeDefaultCryptographicMaterialsManager(keyring);
      return manager.decryptMaterials({ suite, encryptionContext, encryptedDataKeys: known }).catch((error: unknown) => {
        // The keyring makes one text of whatever KMS said.
        throw translateAwsError(asking.refusal() ?? error, KMS_ERRORS);
      });
    },
  };
}

/** As much of a client as the keyring knows, of which two calls are made here. */
function askKms(kms: KMSClient) {
  let refusal: unknown;
  const noted = (error: unknown) => {
    refusal = error;
    throw error;
  };
  const client: KmsCalls = {
    async generateDataKey(input) {
      const { KeyId, Plaintext, CiphertextBlob } = await kms.send(new GenerateDataKeyCommand(input)).catch(noted);
      return present({ KeyId, Plaintext, CiphertextBlob });
    },
    async decrypt(input) {
      const { KeyId, Plaintext } = await kms.send(new DecryptCommand(input)).catch(noted);
      return present({ KeyId, Plaintext });
    },
    encrypt: () => Promise.reject(new Error('a message is under one KMS key')),
  };
  return { client, refusal: () => refusal };
}

type KmsCalls = Exclude<ReturnType<NonNullable<KmsKeyringNodeInput['clientProvider']>>, false>;

function present<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
