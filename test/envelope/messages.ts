/** What the tests of messages share. */
import { randomBytes } from 'node:crypto';
import {
  EncryptedDataKey,
  immutableClass,
  KeyringNode,
  KeyringTraceFlag,
  type NodeDecryptionMaterial,
  NodeDefaultCryptographicMaterialsManager,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import { secretKey } from '../../src/encryption/index.ts';
import type { OpeningKeys, SealingKeys } from '../../src/envelope/index.ts';
import {
  aesOpeningKeys,
  aesSealingKeys,
  byteReader,
  type EncryptionContext,
  readHead,
  sealMessage,
  unlock,
} from '../../src/envelope/index.ts';
import { COMMITMENT, SUITE } from '../../src/envelope/suite.ts';

export const CONTEXT: EncryptionContext = { sealdrop: 'cse', bucket: 'target', key: 'reports/é 1' };
export const WRAPPING_KEY = secretKey('version-1', randomBytes(32));
export const KEYS = aesOpeningKeys({ version: async () => WRAPPING_KEY });

/** Small frames, so that a few hundred bytes have several. */
export const FRAME = 64;

export async function* whole(bytes: Uint8Array) {
  yield bytes;
}

export async function* inPieces(bytes: Uint8Array, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

export async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export async function sealed(plaintext: Uint8Array, options: { context?: EncryptionContext; frameBytes?: number } = {}) {
  const { context = CONTEXT, frameBytes = FRAME } = options;
  const { chunks, ...about } = await sealMessage(whole(plaintext), { context, dataKeys: aesSealingKeys(WRAPPING_KEY), frameBytes });
  return { ...about, bytes: await collected(chunks) };
}

/** Writes whatever names of KMS keys into a header; the data key stands in it as it is. */
class NamedKeys extends KeyringNode {
  private readonly keyArns: readonly string[];

  constructor(keyArns: readonly string[]) {
    super();
    this.keyArns = keyArns;
    Object.freeze(this);
  }

  async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const dataKey = new Uint8Array(randomBytes(material.suite.keyLengthBytes));
    const [keyName = ''] = this.keyArns;
    material.setUnencryptedDataKey(Uint8Array.from(dataKey), {
      keyNamespace: 'aws-kms',
      keyName,
      flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY,
    });
    for (const providerInfo of this.keyArns) {
      const edk = new EncryptedDataKey({ providerId: 'aws-kms', providerInfo, encryptedDataKey: dataKey });
      material.addEncryptedDataKey(edk, KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY);
    }
    return material;
  }

  async _onDecrypt(material: NodeDecryptionMaterial): Promise<NodeDecryptionMaterial> {
    return material;
  }
}
immutableClass(NamedKeys);

/** For a KMS that gives back what it is given. @param keyArns whose names stand in the header, in this order */
export function namingKeys(...keyArns: string[]): SealingKeys {
  const manager = new NodeDefaultCryptographicMaterialsManager(new NamedKeys(keyArns));
  return {
    toSeal: (encryptionContext) => manager.getEncryptionMaterials({ suite: SUITE, encryptionContext, commitmentPolicy: COMMITMENT }),
  };
}

export interface Opened {
  /** What was given out before the end, or before the failure, in hex. */
  given: string;
  error: unknown;
}

/** Opens a message as far as it goes. */
export async function opened(
  message: AsyncIterable<Uint8Array>,
  { keys = KEYS, context = CONTEXT }: { keys?: OpeningKeys; context?: EncryptionContext } = {},
): Promise<Opened> {
  const given: Buffer[] = [];
  try {
    const reader = byteReader(message);
    const { plaintext } = await unlock(await readHead(reader), context, keys);
    for await (const chunk of plaintext(reader)) given.push(chunk);
    return { given: hex(given), error: null };
  } catch (error) {
    return { given: hex(given), error };
  }
}

const hex = (pieces: Buffer[]) => Buffer.concat(pieces).toString('hex');
