/** A choice with its keys in hand: what encrypts. */
import type { EncryptionDescription, ResolvedEncryption } from '../../src/encryption/index.ts';
import { aesSealingKeys, kmsSealingKeys, type SealingKeys } from '../../src/envelope/index.ts';
import { createManagedKey } from '../../src/keys/managed-key.ts';
import { createCustomerKeys, createWrappingKeys } from '../../src/keys/secret-keys.ts';
import type { Aws } from './aws.ts';
import { type Choice, MANAGED_KEY } from './key-options.ts';

export interface Sealing {
  /** What an object's encryption is asked to be, and must be by S3's answer. */
  atS3: ResolvedEncryption;
  /** What encrypts before S3 does; `null`: nothing. */
  client: { mode: 'cse-kms' | 'cse-aes'; dataKeys: SealingKeys } | null;
  /** Without secrets. */
  about: EncryptionDescription;
}

/** @throws SealdropError of the key */
export async function openSealing(choice: Choice, { kmsOf, secretsManager }: Aws): Promise<Sealing> {
  const { mode } = choice;
  switch (mode) {
    case 'sse-s3':
      return { atS3: { mode }, client: null, about: { mode } };
    case 'sse-kms':
    case 'dsse-kms': {
      const managed = choice.kmsKey === MANAGED_KEY;
      const keyArn = managed ? await createManagedKey(kmsOf(null))() : choice.kmsKey;
      const key = { keyArn, ...(managed ? { managed } : {}) };
      return {
        atS3: mode === 'sse-kms' ? { mode, bucketKey: true, ...key } : { mode, ...key },
        client: null,
        about: { mode, keyArn },
      };
    }
    case 'sse-c': {
      const customerKey = await createCustomerKeys({ secretsManager, secretId: choice.secret }).current();
      return { atS3: { mode, customerKey }, client: null, about: { mode, customerKeyVersion: customerKey.versionId } };
    }
    case 'cse-kms': {
      const keyArn = choice.kmsKey;
      // Every message has a data key of its own, under a context that names the object.
      const dataKeys = kmsSealingKeys(kmsOf(keyArn), keyArn, null);
      return { atS3: { mode: 'sse-kms', keyArn, bucketKey: true }, client: { mode, dataKeys }, about: { mode, keyArn } };
    }
    case 'cse-aes': {
      const wrappingKey = await createWrappingKeys({ secretsManager, secretId: choice.secret }).current();
      return {
        atS3: { mode: 'sse-s3' },
        client: { mode, dataKeys: aesSealingKeys(wrappingKey) },
        about: { mode, wrappingKeyVersion: wrappingKey.versionId },
      };
    }
    default:
      return mode satisfies never;
  }
}
