/** Messages that others published, or made, with the answers to them: where they are from stands in test/fixtures/vectors/README.md. */
import {
  immutableClass,
  KeyringNode,
  KeyringTraceFlag,
  type NodeDecryptionMaterial,
  NodeDefaultCryptographicMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { describe, expect, it } from 'vitest';
import { secretKey } from '../../src/encryption/index.ts';
import { aesOpeningKeys, byteReader, type MessageHead, type OpeningKeys, plaintextBytes, readHead } from '../../src/envelope/index.ts';
import { SealdropError } from '../../src/errors.ts';
import published from '../fixtures/vectors/commitment-test-vectors.json' with { type: 'json' };
import made from '../fixtures/vectors/python-sdk.json' with { type: 'json' };
import { inPieces, opened, whole } from './messages.ts';

/** Gives the data key that a vector publishes, in place of the KMS key that made it. */
class PublishedDataKey extends KeyringNode {
  readonly #dataKey: string;

  constructor(dataKey: string) {
    super();
    this.#dataKey = dataKey;
  }

  _onEncrypt(): never {
    throw new Error('vectors are only opened');
  }

  async _onDecrypt(material: NodeDecryptionMaterial): Promise<NodeDecryptionMaterial> {
    // A copy: the material wants memory of its own, and clears it.
    const dataKey = Uint8Array.from(Buffer.from(this.#dataKey, 'base64'));
    return material.setUnencryptedDataKey(dataKey, {
      keyNamespace: 'published',
      keyName: 'published',
      flags: KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY,
    });
  }
}
immutableClass(PublishedDataKey);

/** The wrapping key of the published vectors that have one is of zeros. */
const zeros = () =>
  new RawAesKeyringNode({
    keyNamespace: 'ProviderName',
    keyName: 'KeyId',
    unencryptedMasterKey: new Uint8Array(32),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });

function under(keyring: KeyringNode): OpeningKeys {
  const manager = new NodeDefaultCryptographicMaterialsManager(keyring);
  return {
    toOpen: ({ suite, context: encryptionContext, encryptedDataKeys }) =>
      manager.decryptMaterials({ suite, encryptionContext, encryptedDataKeys: [...encryptedDataKeys] }),
  };
}

const bytesOf = (base64: string) => Buffer.from(base64, 'base64');
const headOf = (message: Buffer): Promise<MessageHead> => readHead(byteReader(whole(message)));
const hexOf = (text: string) => Buffer.from(text, 'utf8').toString('hex');

/** Whole, and in pieces that end everywhere. */
const readings: [string, (message: Buffer) => AsyncIterable<Uint8Array>][] = [
  ['whole', whole],
  ['byte by byte', (message) => inPieces(message, 1)],
  ['7 bytes at a time', (message) => inPieces(message, 7)],
];

async function expectRefused(message: Buffer, keys: OpeningKeys, text: RegExp) {
  for (const [, read] of readings) {
    const { given, error } = await opened(read(message), { keys, context: {} });
    expect(error).toBeInstanceOf(SealdropError);
    expect(error).toMatchObject({ code: 'ciphertext-invalid', message: expect.stringMatching(text) });
    expect(given).toBe('');
  }
}

describe('the published vector', () => {
  const vectors = published.tests.map((vector) => ({
    ...vector,
    message: bytesOf(vector.ciphertext),
    context: vector['encryption-context'] as Record<string, string>,
    keys: under(vector['keyring-type'] === 'static' ? zeros() : new PublishedDataKey(vector['decrypted-dek'])),
    unframed: vector.comment.endsWith('unframed'),
    signed: bytesOf(vector.ciphertext).readUInt16BE(1) === 0x0578,
  }));
  const good = vectors.filter(({ status, unframed }) => status && !unframed);
  const forged = vectors.filter(({ status }) => !status);
  const unframed = vectors.filter((vector) => vector.unframed);

  it('is one of 46, none of which is left out', () => {
    expect([good.length, forged.length, unframed.length]).toEqual([34, 5, 7]);
  });

  describe.each(good)('$comment', ({ message, context, keys, signed, ...vector }) => {
    const plaintext = vector['plaintext-frames']?.join('') ?? '';

    it.each(readings)('opens, read %s', async (_, read) => {
      expect(await opened(read(message), { keys, context })).toEqual({ given: hexOf(plaintext), error: null });
    });

    it('has the header that was published', async () => {
      const head = await headOf(message);
      const { messageHeader } = head.info;
      expect(head).toMatchObject({ messageId: vector['message-id'], context, signed });
      expect(Buffer.from('suiteData' in messageHeader ? messageHeader.suiteData : []).toString('base64')).toBe(vector.commitment);
    });
  });

  it.each(good.filter(({ signed }) => !signed))('$comment is as long as its layout says', async ({ message, ...vector }) => {
    const { layout } = await headOf(message);
    expect(plaintextBytes(layout, message.length)).toBe(vector['plaintext-frames']?.join('').length);
  });

  it.each(forged)('$comment is refused: it commits to another key', async ({ message, keys }) => {
    await expectRefused(message, keys, /^the header is not as it was written/);
  });

  it.each(unframed)('$comment is refused: it is not in frames', async ({ message, keys }) => {
    await expectRefused(message, keys, /not in frames/);
  });
});

describe('the message of the Encryption SDK for Python', () => {
  const key = secretKey(made.keyName, bytesOf(made.key));
  const keys = aesOpeningKeys({ version: async () => key });
  const vectors = made.messages.map((vector) => ({ ...vector, message: bytesOf(vector.message), context: made.context }));

  it.each(vectors.filter(({ committing }) => committing))('$comment opens', async ({ message, plaintext, context }) => {
    for (const [, read] of readings) {
      expect(await opened(read(message), { keys, context })).toEqual({ given: hexOf(plaintext), error: null });
    }
    expect((await headOf(message)).context).toMatchObject(context);
  });

  it.each(vectors.filter(({ committing }) => !committing))('$comment is refused: it commits to no key', async ({ message }) => {
    await expectRefused(message, keys, /^it is no message of the AWS Encryption SDK under a committing algorithm suite/);
  });
});
