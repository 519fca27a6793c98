/** What the tests of the reader share: an object to open, and ways in which its bytes arrive. */
import { expect } from 'vitest';
import { SealdropError } from '../../src/errors.ts';
import { type EncryptedSource, openMessage, type ReaderDeps } from '../../src/s3-encryption-client/index.ts';
import { fakeKms } from './fake-kms.ts';
import { KEY_ARN, WRAPPING_KEY, type Written } from './write.ts';

export const OBJECT = { bucket: 'ingest', key: 'hr/letter.pdf', versionId: 'v1' };

export const sourceOf = ({ metadata, ciphertext }: Written): EncryptedSource => ({ ...OBJECT, size: ciphertext.byteLength, metadata });

export function readerDeps(written: Pick<Written, 'instructionFile'>, changes: Partial<ReaderDeps> = {}): ReaderDeps {
  return {
    kms: fakeKms().client,
    kmsKeyArns: [KEY_ARN],
    wrappingKey: async () => WRAPPING_KEY,
    readInstructionFile: async () => written.instructionFile,
    legacy: false,
    ...changes,
  };
}

export async function read(written: Written, changes: Partial<ReaderDeps> = {}, arriving = whole): Promise<Buffer> {
  const message = await openMessage(sourceOf(written), readerDeps(written, changes));
  if (message === null) throw new Error('taken for an object that is not encrypted');
  return collect(message.decrypt(arriving(written.ciphertext)));
}

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

export async function* whole(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const inChunksOf = (...sizes: number[]) =>
  async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (let turn = 0; at < bytes.byteLength; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      yield new Uint8Array(bytes.subarray(at, at + size));
      at += size;
    }
  };

export async function refusalOf(promise: Promise<unknown>, code = 'source-not-decryptable'): Promise<SealdropError> {
  const error = await promise.then(
    () => new Error('not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof SealdropError)) throw error;
  expect(error).toMatchObject({ code, object: OBJECT });
  return error;
}

/** The same with one bit of that byte the other way. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}

export const flippedBase64 = (text: string, at = 0) => flipped(Buffer.from(text, 'base64'), at).toString('base64');

/** Of a mebibyte, a deep comparison takes seconds. */
export function expectSame(given: Buffer, expected: Buffer): void {
  expect(given.byteLength).toBe(expected.byteLength);
  expect(given.equals(expected)).toBe(true);
}
