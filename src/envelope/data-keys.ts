/** What gives a message its data key, and gives it back. */
import type {
  EncryptedDataKey,
  EncryptionContext,
  NodeAlgorithmSuite,
  NodeDecryptionMaterial,
  NodeEncryptionMaterial,
} from '@aws-crypto/client-node';

export type { EncryptionContext };

/** What a message says of its data key. */
export interface LockedKey {
  suite: NodeAlgorithmSuite;
  /** Authenticated with the data key: another context does not open it. */
  context: Readonly<EncryptionContext>;
  encryptedDataKeys: readonly EncryptedDataKey[];
}

export interface SealingKeys {
  /** @param plaintextBytes of the message, where they are known @throws SealdropError of the wrapping key */
  toSeal(context: EncryptionContext, plaintextBytes?: number): Promise<NodeEncryptionMaterial>;
}

export interface OpeningKeys {
  /** @throws SealdropError of the wrapping key; `ciphertext-invalid` where the data key was not sealed under this context */
  toOpen(locked: LockedKey): Promise<NodeDecryptionMaterial>;
}
