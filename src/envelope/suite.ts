/** The algorithm suite of what is written here, and those that are read. */
import { AlgorithmSuiteIdentifier, CommitmentPolicy, NodeAlgorithmSuite } from '@aws-crypto/client-node';

/**
 * AES-256-GCM with a key from HKDF-SHA512 and key commitment, without signature: whoever may decrypt is whoever may encrypt, and a signature over
 * the whole would hold back every byte until the last.
 * @see https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/supported-algorithms.html
 */
export const SUITE = new NodeAlgorithmSuite(AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY);

/** With a signature: what the SDKs of other languages write unless told otherwise. */
export const SIGNED_SUITE_ID = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384;

/** Neither is written nor read what does not commit to its key: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#key-commitment */
export const COMMITMENT = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT;

/** Content of a frame: docs/decisions/client-side-messages.md has the measurements. */
export const FRAME_BYTES = 1024 * 1024;

/** Frames are held in memory until they are proven; a message that wants more is refused. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
