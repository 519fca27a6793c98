/** What becomes of messages that are not as they were written: an error by name, and never a byte that was not in the plaintext. */
import { randomBytes } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { secretKey } from '../../src/encryption/index.ts';
import { aesOpeningKeys, type EncryptionContext } from '../../src/envelope/index.ts';
import { SealdropError } from '../../src/errors.ts';
import { CONTEXT, FRAME, inPieces, opened, sealed, WRAPPING_KEY, whole } from './messages.ts';

const PLAINTEXT = randomBytes(3 * FRAME + 10);
const FRAME_OVERHEAD = 4 + 12 + 16;

let message: Buffer;
let header: number;
beforeAll(async () => {
  const { bytes, layout } = await sealed(PLAINTEXT);
  message = bytes;
  header = layout.headerBytes;
});

const frameAt = (frame: number) => header + (frame - 1) * (FRAME + FRAME_OVERHEAD);

function flipped(position: number, bit = 0): Buffer {
  const changed = Buffer.from(message);
  changed[position] = (changed[position] ?? 0) ^ (1 << bit);
  return changed;
}

/** It fails by name, and what was given out before is the beginning of the plaintext and not all of it. */
async function expectRefused(bytes: Uint8Array, more: Parameters<typeof opened>[1] & { codes?: string[]; frames?: number } = {}) {
  const { codes = ['ciphertext-invalid'], frames } = more;
  const results = await Promise.all([opened(whole(bytes), more), opened(inPieces(bytes, 13), more)]);
  for (const { given, error } of results) {
    expect(error).toBeInstanceOf(SealdropError);
    expect(codes).toContain((error as SealdropError).code);
    expect(PLAINTEXT.toString('hex').startsWith(given)).toBe(true);
    expect(given.length / 2).toBeLessThan(PLAINTEXT.length);
    if (frames !== undefined) expect(given.length / 2).toBe(frames * FRAME);
  }
  return String(results[0]?.error);
}

it('opens as it was written', async () => {
  expect(await opened(whole(message))).toEqual({ given: PLAINTEXT.toString('hex'), error: null });
});

describe('one bit', () => {
  it('of any byte of the header keeps everything shut', async () => {
    // Where the wrapping key's name stands another key is asked for; in the data key's own bytes the wrapping key does not open them.
    const codes = ['ciphertext-invalid', 'wrapping-key-mismatch'];
    for (let at = 0; at < header; at += 1) await expectRefused(flipped(at, at % 8), { codes, frames: 0 });
  });

  it.each([
    ['sequence number', 0],
    ['IV', 4],
    ['content', 16],
    ['last byte of the content', 16 + FRAME - 1],
    ['tag', 16 + FRAME],
    ['last byte of the tag', 16 + FRAME + 15],
  ])('of the %s of a frame stops before that frame', async (_, offset) => {
    for (const frame of [1, 2, 3]) {
      for (let bit = 0; bit < 8; bit += 1) await expectRefused(flipped(frameAt(frame) + offset, bit), { frames: frame - 1 });
    }
  });

  it.each([
    ['mark', 0],
    ['sequence number', 4],
    ['IV', 8],
    ['length', 20],
    ['last byte of the length', 23],
    ['content', 24],
    ['last byte of the content', 24 + 9],
    ['tag', 24 + 10],
    ['last byte of the tag', 24 + 10 + 15],
  ])('of the %s of the last frame stops before it', async (_, offset) => {
    for (let bit = 0; bit < 8; bit += 1) await expectRefused(flipped(frameAt(4) + offset, bit), { frames: 3 });
  });

  it('of any byte at all is noticed', async () => {
    const codes = ['ciphertext-invalid', 'wrapping-key-mismatch'];
    for (let at = 0; at < message.length; at += 1) await expectRefused(flipped(at, (at + 3) % 8), { codes });
  });
});

describe('cut', () => {
  it('anywhere it gives no more than whole frames, and fails', async () => {
    for (let length = 0; length < message.length; length += 1) {
      await expectRefused(message.subarray(0, length), {
        frames: Math.max(0, Math.min(3, Math.floor((length - header) / (FRAME + FRAME_OVERHEAD)))),
      });
    }
  });

  it.each([1, 2, 3, 4])('before frame %i it says that the end is missing', async (frame) => {
    expect(await expectRefused(message.subarray(0, frameAt(frame)))).toMatch(/ends before its last frame/);
  });

  it('out of the middle it fails at the gap', async () => {
    const gap = Buffer.concat([message.subarray(0, frameAt(2)), message.subarray(frameAt(3))]);
    expect(await expectRefused(gap, { frames: 1 })).toMatch(/not where it was written/);
  });
});

describe('more than was written', () => {
  it.each([
    ['one byte', () => Buffer.of(0)],
    ['the same message again', () => message],
    ['a frame of its own once more', () => message.subarray(frameAt(3), frameAt(4))],
    ['a mebibyte', () => randomBytes(1024 * 1024)],
  ])('%s behind it is noticed before the last frame is given out', async (_, more) => {
    expect(await expectRefused(Buffer.concat([message, more()]), { frames: 3 })).toMatch(/follows the message/);
  });

  it('a frame twice fails at the second', async () => {
    const twice = Buffer.concat([message.subarray(0, frameAt(3)), message.subarray(frameAt(2))]);
    await expectRefused(twice, { frames: 2 });
  });

  it('two frames that changed places fail at the first', async () => {
    const parts = [message.subarray(0, frameAt(1)), message.subarray(frameAt(2), frameAt(3)), message.subarray(frameAt(1), frameAt(2))];
    await expectRefused(Buffer.concat([...parts, message.subarray(frameAt(3))]), { frames: 0 });
  });

  it("another message's frames under this header fail at the first", async () => {
    const other = (await sealed(PLAINTEXT)).bytes;
    await expectRefused(Buffer.concat([message.subarray(0, header), other.subarray(header)]), { frames: 0 });
  });
});

describe('an empty message', () => {
  it('that lost its only frame is refused', async () => {
    const { bytes, layout } = await sealed(Buffer.alloc(0));
    const { given, error } = await opened(whole(bytes.subarray(0, layout.headerBytes)));
    expect({ given, code: (error as SealdropError).code }).toEqual({ given: '', code: 'ciphertext-invalid' });
  });
});

describe('the wrong', () => {
  const contexts: [string, EncryptionContext][] = [
    ['bucket', { ...CONTEXT, bucket: 'another' }],
    ['key', { ...CONTEXT, key: 'reports/2' }],
    ['sealdrop', { ...CONTEXT, sealdrop: 'other' }],
    ['more', { ...CONTEXT, more: 'x' }],
  ];
  it.each(contexts)('%s in the context is refused before the key is asked', async (name, context) => {
    let asked = 0;
    const keys = aesOpeningKeys({
      version: async () => {
        asked += 1;
        return WRAPPING_KEY;
      },
    });
    expect(await expectRefused(message, { context, keys, frames: 0 })).toContain(`another ${name}`);
    expect(asked).toBe(0);
  });

  it('wrapping key is refused by name', async () => {
    const keys = aesOpeningKeys({ version: async () => secretKey('version-1', randomBytes(32)) });
    await expectRefused(message, { keys, codes: ['wrapping-key-mismatch'], frames: 0 });
  });

  it('namespace is refused by name', async () => {
    const { result } = await buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT).encrypt(sdkKeyring('elsewhere'), PLAINTEXT, {
      encryptionContext: CONTEXT,
    });
    expect(await expectRefused(result, { frames: 0 })).toMatch(/no wrapping key of Sealdrop/);
  });

  it.each([
    ['without commitment', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256],
    ['without commitment, signed', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384],
    ['without key derivation', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16],
  ])('suite, %s, is refused before the key is asked', async (_, suiteId) => {
    const old = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
    const { result } = await old.encrypt(sdkKeyring('sealdrop'), PLAINTEXT, { encryptionContext: CONTEXT, suiteId });
    expect(await expectRefused(result, { frames: 0 })).toMatch(/committing/);
  });

  it.each([
    ['plaintext', () => PLAINTEXT],
    ['a lot of plaintext', () => Buffer.alloc(100_000, 2)],
    ['nothing', () => Buffer.alloc(0)],
    ['one byte', () => Buffer.of(2)],
  ])('kind of thing, %s, is refused', async (_, bytes) => {
    await expectRefused(bytes(), { frames: 0 });
  });

  it('frames, larger than there is memory for, are refused before they are read', async () => {
    const { bytes } = await sealed(PLAINTEXT, { frameBytes: 65 * 1024 * 1024 });
    expect(await expectRefused(bytes, { frames: 0 })).toMatch(/frames of 68157440 bytes/);
  });
});

describe('a signed message', () => {
  let signed: Buffer;
  beforeAll(async () => {
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { result } = await client.encrypt(sdkKeyring('sealdrop'), PLAINTEXT, { encryptionContext: CONTEXT, frameLength: FRAME });
    signed = result;
    expect(await opened(whole(signed))).toEqual({ given: PLAINTEXT.toString('hex'), error: null });
  });

  it.each([
    ['without its signature', (bytes: Buffer) => bytes.subarray(0, bytes.length - 105)],
    ['with half of it', (bytes: Buffer) => bytes.subarray(0, bytes.length - 50)],
    ['with a bit of it changed', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)])],
    ['with more behind it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
  ])('%s holds its last frame back', async (_, change) => {
    await expectRefused(change(signed), { frames: 3 });
  });
});

function sdkKeyring(keyNamespace: string): RawAesKeyringNode {
  return new RawAesKeyringNode({
    keyNamespace,
    keyName: WRAPPING_KEY.versionId,
    unencryptedMasterKey: Uint8Array.from(WRAPPING_KEY.material),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
}
