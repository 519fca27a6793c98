/** Messages against themselves and against the Encryption SDK for JavaScript, used directly. */
import { randomBytes } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteReader,
  FRAME_BYTES,
  framesOf,
  kmsOpeningKeys,
  messageBytes,
  plaintextBytes,
  readHead,
  sealMessage,
  unlock,
  wrappedUnder,
} from '../../src/envelope/index.ts';
import { CONTEXT, collected, FRAME, inPieces, KEYS, namingKeys, opened, sealed, WRAPPING_KEY, whole } from './messages.ts';

const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring = new RawAesKeyringNode({
  keyNamespace: 'sealdrop',
  keyName: WRAPPING_KEY.versionId,
  unencryptedMasterKey: Uint8Array.from(WRAPPING_KEY.material),
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  utf8Sorting: true,
});

const SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME - 1, 3 * FRAME, 3 * FRAME + 1];

describe.each(SIZES)('a message of %i bytes', (size) => {
  const plaintext = randomBytes(size);

  it.each([1, 7, FRAME, 100_000])('opens again, read %i bytes at a time', async (length) => {
    const { bytes } = await sealed(plaintext);
    expect(await opened(inPieces(bytes, length))).toEqual({ given: plaintext.toString('hex'), error: null });
  });

  it('is as long as its layout says', async () => {
    const { bytes, layout } = await sealed(plaintext);
    expect(messageBytes(layout, size)).toBe(bytes.length);
    expect(plaintextBytes(layout, bytes.length)).toBe(size);
  });

  it('opens with the Encryption SDK for JavaScript', async () => {
    const { bytes } = await sealed(plaintext);
    const answer = await sdk.decrypt(keyring, bytes);
    expect(Buffer.from(answer.plaintext).equals(plaintext)).toBe(true);
    expect(answer.messageHeader.encryptionContext).toEqual(CONTEXT);
  });

  it.each([
    ['unsigned', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY],
    ['signed', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384],
  ])('opens when the Encryption SDK for JavaScript wrote it, %s', async (_, suiteId) => {
    const { result } = await sdk.encrypt(keyring, plaintext, { encryptionContext: CONTEXT, suiteId, frameLength: FRAME });
    expect(await opened(inPieces(result, 50))).toEqual({ given: plaintext.toString('hex'), error: null });
  });
});

describe('frames of the size that is shipped', () => {
  it.each([FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])('hold %i bytes', async (size) => {
    const plaintext = randomBytes(size);
    const { bytes } = await sealed(plaintext, { frameBytes: FRAME_BYTES });
    const { given, error } = await opened(inPieces(bytes, 65_536));
    expect(error).toBe(null);
    expect(given === plaintext.toString('hex')).toBe(true);
    expect(Buffer.from((await sdk.decrypt(keyring, bytes)).plaintext).equals(plaintext)).toBe(true);
  });
});

describe('a message with data keys under several KMS keys', () => {
  const [victim, writer] = ['arn:aws:kms:eu-west-1:111122223333:key/1', 'arn:aws:kms:eu-west-1:444455556666:key/2'];
  const kms = mockClient(KMSClient);
  kms.on(DecryptCommand).callsFake(async ({ KeyId, CiphertextBlob }) => ({ KeyId, Plaintext: CiphertextBlob }));

  it('tells which of them opened it, whichever its header names first', async () => {
    const { chunks } = await sealMessage(whole(Buffer.from('hello')), { context: CONTEXT, dataKeys: namingKeys(victim, writer) });
    const head = await readHead(byteReader(whole(await collected(chunks))));
    expect(wrappedUnder(head)).toEqual({ keyArn: victim });
    const keys = kmsOpeningKeys(kms as unknown as KMSClient, [writer]);
    expect((await unlock(head, CONTEXT, keys)).openedBy).toEqual({ keyArn: writer });
  });
});

it('tells the version of the wrapping key that opened it', async () => {
  const { bytes } = await sealed(Buffer.from('hello'));
  expect((await unlock(await readHead(byteReader(whole(bytes))), CONTEXT, KEYS)).openedBy).toEqual({
    wrappingKeyVersion: WRAPPING_KEY.versionId,
  });
});

it('leaves the wrapping key as it is', async () => {
  const before = Buffer.from(WRAPPING_KEY.material);
  const { bytes } = await sealed(randomBytes(10));
  await opened(whole(bytes));
  expect(WRAPPING_KEY.material.equals(before)).toBe(true);
  expect(before.every((byte) => byte === 0)).toBe(false);
});

it('seals no two messages alike', async () => {
  const [a, b] = [await sealed(Buffer.from('same')), await sealed(Buffer.from('same'))];
  expect(a.messageId).not.toBe(b.messageId);
  expect(a.bytes.subarray(-20).equals(b.bytes.subarray(-20))).toBe(false);
});

it('lets its plaintext go when nobody reads on', async () => {
  let ended = false;
  async function* source() {
    try {
      for (;;) yield randomBytes(1000);
    } finally {
      ended = true;
    }
  }
  const { sealMessage, aesSealingKeys } = await import('../../src/envelope/index.ts');
  const { chunks } = await sealMessage(source(), { context: CONTEXT, dataKeys: aesSealingKeys(WRAPPING_KEY), frameBytes: FRAME });
  for await (const chunk of chunks) if (chunk.length > 0) break;
  // The generator had not begun to read yet; it is closed all the same.
  await chunks.return(undefined);
  expect(ended || (await chunks.next()).done).toBe(true);
});

it('gives every range of the plaintext from the frames that it touches, and no others', async () => {
  const plaintext = randomBytes(5 * FRAME + 17);
  const { bytes, layout } = await sealed(plaintext);
  const head = await readHead(byteReader(whole(bytes)));
  await fc.assert(
    fc.asyncProperty(fc.nat(plaintext.length - 1), fc.nat(plaintext.length - 1), async (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const message = await unlock(head, CONTEXT, KEYS);
      const span = framesOf(layout, { first, last }, bytes.length);
      const ciphertext = bytes.subarray(span.bytes.first, span.bytes.last + 1);
      const clear = await collected(message.frames(byteReader(whole(ciphertext)), span));
      const wanted = plaintext.subarray(first, last + 1);
      expect(clear.subarray(first - span.plaintextBefore, last + 1 - span.plaintextBefore).equals(wanted)).toBe(true);
      expect(ciphertext.length).toBeLessThanOrEqual((Math.floor(last / FRAME) - Math.floor(first / FRAME) + 1) * (FRAME + 32) + 8);
    }),
  );
});

it('knows which lengths no message has', async () => {
  const { layout } = await sealed(Buffer.alloc(0));
  const lengths = Array.from({ length: 4 * FRAME }, (_, plaintext) => messageBytes(layout, plaintext));
  for (let length = 0; length <= Math.max(...lengths); length += 1) {
    const plaintext = plaintextBytes(layout, length);
    // Other writers end a message with a whole frame where this one ends it with an empty one.
    const others = length - layout.headerBytes - 40;
    if (plaintext === null) expect(lengths).not.toContain(length);
    else expect(lengths.includes(length) || (others > 0 && (others - FRAME) % (FRAME + 32) === 0), String(length)).toBe(true);
  }
});
