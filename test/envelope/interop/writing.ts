/** Messages made to be compared: by us, and by the Encryption SDK for Python. */
import { type EncryptionContext, FRAME_BYTES, sealMessage } from '../../../src/envelope/index.ts';
import { collected, whole } from '../messages.ts';
import type { PythonSdk } from './python-sdk.ts';
import type { Keys } from './world.ts';

/** https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/algorithms-reference.html */
export const UNSIGNED_SUITE = 0x0478;
export const SIGNED_SUITE = 0x0578;
export const NON_COMMITTING_SUITES = [0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378];

/** The SDK's own. */
export const PYTHON_FRAME_BYTES = 4096;
/** It takes multiples of this. */
export const SMALL_FRAME_BYTES = 128;

export const ASCII: EncryptionContext = { sealdrop: 'cse', bucket: 'target', key: 'reports/1' };
/** Its last two names stand in another order in UTF-8 than in UTF-16, by which JavaScript sorts. */
export const NOT_ASCII: EncryptionContext = { sealdrop: 'cse', bucket: 'target', key: 'reports/é 1 日本語', '｡': 'ключ', '🔑': '\t"\\' };

export interface Wanted {
  plaintext: Buffer;
  context: EncryptionContext;
  keys: Keys;
  /** `null`: the writer's own. */
  frameBytes: number | null;
}

export async function ours({ plaintext, context, keys, frameBytes }: Wanted): Promise<Buffer> {
  const { chunks } = await sealMessage(whole(plaintext), {
    context,
    dataKeys: keys.sealing,
    plaintextBytes: plaintext.length,
    frameBytes: frameBytes ?? FRAME_BYTES,
  });
  return collected(chunks);
}

export async function theirs(python: PythonSdk, { keys, ...wanted }: Wanted, suite: number): Promise<Buffer> {
  return python.encrypt({ ...wanted, keyring: keys.python, suite });
}
