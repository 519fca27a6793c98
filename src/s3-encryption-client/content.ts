/** The content, as it streams by. */
import { createDecipheriv, type Decipheriv } from 'node:crypto';
import type { ContentCipher } from './content-key.ts';
import type { Suite } from './envelope.ts';
import { refusal } from './refusal.ts';

const TAG_BYTES = 16;
const BLOCK_BYTES = 16;

/** @returns bytes of plaintext; null: its padding hides it */
export function plaintextSize(suite: Suite, storedSize: number): number | null {
  if (suite === 'AES/CBC/PKCS5Padding') {
    if (storedSize < BLOCK_BYTES || storedSize % BLOCK_BYTES !== 0) throw refusal(`its ${storedSize} bytes are not whole blocks`);
    return null;
  }
  if (storedSize < TAG_BYTES) throw refusal(`its ${storedSize} bytes are less than a tag`);
  return storedSize - TAG_BYTES;
}

/** Yields plaintext that nobody vouches for before the end: the tag comes last. */
export async function* decryptGcm(
  ciphertext: AsyncIterable<Uint8Array>,
  cipher: ContentCipher & { mode: 'gcm' },
  storedSize: number,
): AsyncGenerator<Buffer> {
  const decipher = createDecipheriv('aes-256-gcm', cipher.key, cipher.iv, { authTagLength: TAG_BYTES });
  if (cipher.aad !== null) decipher.setAAD(cipher.aad);
  const tag = Buffer.alloc(TAG_BYTES);
  let passed = 0;
  for await (const chunk of ofSize(ciphertext, storedSize)) {
    const ofTheBody = Math.max(0, Math.min(chunk.byteLength, storedSize - TAG_BYTES - passed));
    if (ofTheBody > 0) yield update(decipher, chunk.subarray(0, ofTheBody));
    if (ofTheBody < chunk.byteLength) tag.set(chunk.subarray(ofTheBody), passed + ofTheBody - (storedSize - TAG_BYTES));
    passed += chunk.byteLength;
  }
  decipher.setAuthTag(tag);
  finish(decipher, 'its tag does not match: the content was changed, or it is under another key');
}

/**
 * CBC authenticates nothing: what was changed on purpose comes out changed, and only a length or a padding that does not
 * fit is noticed. Every way to fail says the same, so as to tell an attacker who alters ciphertexts no more than that.
 * @param plaintextLength what metadata says of it
 */
export async function* decryptCbc(
  ciphertext: AsyncIterable<Uint8Array>,
  cipher: ContentCipher & { mode: 'cbc' },
  storedSize: number,
  plaintextLength: string | undefined,
): AsyncGenerator<Buffer> {
  const failed = 'its padding or length does not match: the content was changed, or it is under another key';
  const decipher = createDecipheriv('aes-256-cbc', cipher.key, cipher.iv);
  let length = 0;
  for await (const chunk of ofSize(ciphertext, storedSize)) {
    const plaintext = update(decipher, chunk);
    length += plaintext.byteLength;
    if (plaintext.byteLength > 0) yield plaintext;
  }
  const last = finish(decipher, failed);
  length += last.byteLength;
  if (plaintextLength !== undefined && plaintextLength !== String(length)) throw refusal(failed);
  if (last.byteLength > 0) yield last;
}

/** What comes must be as long as what is stored, to the byte. */
async function* ofSize(ciphertext: AsyncIterable<Uint8Array>, storedSize: number): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of ciphertext) {
    passed += chunk.byteLength;
    if (passed > storedSize) throw refusal(`more than its ${storedSize} bytes came`);
    yield chunk;
  }
  if (passed < storedSize) throw refusal(`${passed} of its ${storedSize} bytes came`);
}

function update(decipher: Decipheriv, chunk: Uint8Array): Buffer {
  try {
    return decipher.update(chunk);
  } catch (error) {
    throw refusal('its content cannot be decrypted', error);
  }
}

function finish(decipher: Decipheriv, failed: string): Buffer {
  try {
    return decipher.final();
  } catch (error) {
    throw refusal(failed, error);
  }
}
