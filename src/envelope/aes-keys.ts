/** Data keys under a 256-bit wrapping key: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/use-raw-aes-keyring.html */
import {
  type EncryptedDataKey,
  NodeDefaultCryptographicMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import type { SecretKey } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import type { SecretKeys } from '../keys/secret-keys.ts';
import type { OpeningKeys, SealingKeys } from './data-keys.ts';
import { COMMITMENT, SUITE } from './suite.ts';

/** By namespace and name a message says which key it is under: the name is the secret's version id. */
export const WRAPPING_NAMESPACE = 'sealdrop';

/** Behind the key's name: the lengths of tag and IV, and the IV. https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html */
const AFTER_NAME_BYTES = 4 + 4 + 12;

export function aesSealingKeys(key: SecretKey): SealingKeys {
  const manager = managerOf(key);
  return {
    toSeal: (encryptionContext, plaintextLength) =>
      manager.getEncryptionMaterials({
        suite: SUITE,
        encryptionContext,
        commitmentPolicy: COMMITMENT,
        ...(plaintextLength === undefined ? {} : { plaintextLength }),
      }),
  };
}

/** @param keys give the version that a message names */
export function aesOpeningKeys(keys: Pick<SecretKeys, 'version'>): OpeningKeys {
  return {
    async toOpen({ suite, context: encryptionContext, encryptedDataKeys }) {
      const known = encryptedDataKeys.find(({ providerId }) => providerId === WRAPPING_NAMESPACE);
      if (known === undefined) throw new SealdropError('ciphertext-invalid', 'the message is under no wrapping key of Sealdrop');
      const key = await keys.version(wrappingKeyVersion(known));
      return managerOf(key)
        .decryptMaterials({ suite, encryptionContext, encryptedDataKeys: [known] })
        .catch((cause: unknown) => {
          const message = 'the wrapping key does not open the message: it was encrypted under another key, or for another object';
          throw new SealdropError('wrapping-key-mismatch', message, { cause });
        });
    },
  };
}

/** The version of the secret that a data key is encrypted under. */
export function wrappingKeyVersion({ rawInfo, providerInfo }: EncryptedDataKey): string {
  if (rawInfo === undefined || rawInfo.length <= AFTER_NAME_BYTES) return providerInfo;
  return Buffer.from(rawInfo).subarray(0, -AFTER_NAME_BYTES).toString('utf8');
}

function managerOf({ versionId, material }: SecretKey): NodeDefaultCryptographicMaterialsManager {
  const keyring = new RawAesKeyringNode({
    keyNamespace: WRAPPING_NAMESPACE,
    keyName: versionId,
    // A copy: the keyring clears what it is given.
    unencryptedMasterKey: Uint8Array.from(material),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
  return new NodeDefaultCryptographicMaterialsManager(keyring);
}
